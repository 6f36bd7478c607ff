"""The subcommand `city`: build a city and write its files."""

import argparse
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar

from simulators.city.build import FEWEST_LOTS, MOST_LOTS, build_city
from simulators.city.checks import faults
from simulators.city.files import TargetRefusedError, check_target, write_city
from simulators.city.operators import FULL_SIZE

SEED: Final = 370200
"""The city's administrative code: as good as any number, and easy to remember."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `city`."""
    parser.add_argument("directory", type=Path, metavar="DIR", help="where the files go")
    parser.add_argument(
        "--lots",
        type=int,
        default=FULL_SIZE,
        help=f"number of lots, {FEWEST_LOTS} to {MOST_LOTS} (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, help="the same seed, the same city (default: %(default)s)"
    )
    parser.add_argument(
        "--force", action="store_true", help="write even where other files are; they stay"
    )


def run_command(args: argparse.Namespace) -> int:
    """Build and write the city, showing how far it is.

    Args:
        args: directory, lots, seed and force as declared by `add_arguments`.

    Returns:
        0 when the files are written, 2 when the arguments or the target are refused.
    """
    try:
        if not args.force:
            check_target(args.directory)
        _build_and_write(args, Console(highlight=False, soft_wrap=True))
    except TargetRefusedError as error:
        return _refuse(f"{error}; --force writes there all the same")
    except ValueError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"cannot write {error.filename or args.directory}: {error.strerror}")
    return 0


def _refuse(reason: str) -> int:
    sys.stderr.write(f"city: {reason}\n")
    return 2


def _build_and_write(args: argparse.Namespace, console: Console) -> None:
    plain = not console.is_terminal
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with ProgressBar(*columns, console=console, disable=plain) as bars:
        if plain:
            console.print(f"building a city of {args.lots} lots")
        building = bars.add_task("lots", total=None)
        city = build_city(args.lots, args.seed)
        bars.update(building, total=len(city.lots), completed=len(city.lots))
        if wrong := faults(city):
            raise ValueError("; ".join(wrong))
        if plain:
            console.print(f"writing it to {args.directory}")
        writing = bars.add_task("bays", total=len(city.bays.lot))
        write_city(city, args.directory, lambda done: bars.update(writing, completed=done))
    sensing = sum(lot.reporting == "bays" for lot in city.lots)
    console.print(
        f"{args.directory}: {len(city.lots):,} lots ({sensing:,} sense each bay), "
        f"{len(city.bays.lot):,} bays, {len(city.operators)} operators, "
        f"{len(city.gateways)} gateways, {len(city.districts)} districts"
    )
