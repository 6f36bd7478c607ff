"""The subcommand `fidelity`: how much the simulated city is like real ones."""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from simulators.city.build import FEWEST_LOTS, MOST_LOTS, build_city
from simulators.city.files import write_city
from simulators.city.operators import FULL_SIZE
from simulators.demand import parameters
from simulators.fidelity import real
from simulators.fidelity.bars import all_bars
from simulators.fidelity.simulated import live
from simulators.fitting.files import FaultyDataError
from simulators.fitting.reading import read_facts
from simulators.registry import Lot, RegistryError, read_lots
from simulators.sensors.scoring import read_scores

SEED: Final = 370_200
REPORTS: Final = Path("var/reports/fidelity")
SENSORS: Final = Path("var/reports/sensors.json")
HOLDS, FALLS_SHORT, REFUSED = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--out", type=Path, default=REPORTS, help="default: %(default)s")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="full files, instead of the project's figures"
    )
    parser.add_argument("--figures", type=Path, metavar="FILE", help="write the figures, and end")
    parser.add_argument(
        "--sensors", type=Path, default=SENSORS, metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument("--parameters", type=Path, metavar="FILE", help="default: the demo's own")
    parser.add_argument("--lots", type=int, default=FULL_SIZE, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")


def run_command(args: argparse.Namespace) -> int:
    """Compare, and write the report.

    Returns:
        The exit code: 0 when every bar holds, 1 when one does not, 2 for what cannot be read.
    """
    try:
        theirs = real.measure(read_facts(args.data)) if args.data else real.load()
        if args.figures:
            args.figures.write_bytes(real.dump(theirs))
            return HOLDS
        return _compare(args, theirs)
    except FaultyDataError as error:
        sys.stderr.write(f"{error}\nnothing compared: {len(error.faults)} faults\n")
    except (OSError, RegistryError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
    return REFUSED


def _compare(args: argparse.Namespace, theirs: real.Real) -> int:
    from simulators.fidelity.report import TABLE, write_report  # noqa: PLC0415 - loads matplotlib

    scores = read_scores(args.sensors)
    demand = parameters.load(args.parameters)
    city = live(_lots(args.lots, args.seed), demand, args.seed)
    bars = all_bars(city, demand, theirs, np.random.default_rng(args.seed))
    write_report(args.out, city, demand, theirs, bars, scores=scores)
    short = [bar for bar in bars if not bar.holds]
    for bar in short:
        sys.stderr.write(
            f"does not hold: {bar.part}: {bar.name}: {bar.simulated:.3g},"
            f" real {bar.real}, asked {bar.asked}\n"
        )
    sys.stdout.write(f"{len(bars) - len(short)} of {len(bars)} hold: {args.out / TABLE}\n")
    return FALLS_SHORT if short else HOLDS


def _lots(number: int, seed: int) -> list[Lot]:
    """Return the lots of a city, as its files have them."""
    if not FEWEST_LOTS <= number <= MOST_LOTS:
        raise ValueError(f"lots must be {FEWEST_LOTS}..{MOST_LOTS}, not {number}")
    with tempfile.TemporaryDirectory() as name:
        write_city(build_city(number, seed), Path(name), lambda _: None)
        return read_lots(Path(name) / "lots.csv")
