"""`python -m load_tests`: put a running city under load, and report what it does."""

import argparse
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import httpx

from load_tests.running import ALL, MIX, PARTS, Options, run
from load_tests.scenarios import SCENARIOS
from load_tests.stages import StageError
from load_tests.target import TargetError

Number = TypeVar("Number", int, float)


def _within(kind: Callable[[str], Number], least: Number, most: Number) -> Callable[[str], Number]:
    """Make a type of argument: a number within bounds, both inclusive."""

    def read(text: str) -> Number:
        number = kind(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{least:,} to {most:,}")
        return number

    return read


_rate: Final = _within(float, 0.001, 20_000.0)
# A second's figures need a second.
_seconds: Final = _within(float, 2.0, 3600.0)
_share: Final = _within(float, 0.0, 1.0)
_count: Final = _within(int, 1, 10_000)


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    made = argparse.ArgumentParser(prog="python -m load_tests", description=__doc__)
    add = made.add_argument
    add("--run-file", type=Path, default=Path("var/run.json"), help="the running city")
    add("--credentials", type=Path, default=Path("var/credentials.json"), help="its gateways'")
    add("--report-dir", type=Path, default=Path("var/reports"))
    add("--private", action="store_true", help="start a city of its own, and remove it after")
    add("--lots", type=_count, help="of that city; default: the whole")
    add(
        "--keep-simulator",
        action="store_true",
        help="do not put the running city's simulator aside: then only the free gateway's lots "
        "are reported for, and ingest is not measured",
    )
    add(
        "--scenario",
        choices=(MIX, *SCENARIOS, ALL),
        default=MIX,
        help="the mix with its benchmarks (default), another one, or all of those but the ramp",
    )
    add("--only", choices=PARTS, action="append", help="a part of the mix; may come again")
    add(
        "--duration",
        dest="duration_s",
        type=_seconds,
        help="seconds of the mix, or of each scenario; default: 14 of the mix",
    )
    add("--nearest-per-s", type=_rate, default=100.0, help="drivers' questions; default 100")
    add("--follow-share", type=_share, default=0.1, help="drivers who look closer; default 0.1")
    add("--observations-per-s", type=_rate, default=500.0, help="in the mix; default 500")
    add("--ingest-per-s", type=_rate, default=5500.0, help="in the benchmark; default 5500")
    add("--changes", type=_count, default=200, help="marked changes for freshness; default 200")
    add("--seed", type=int, default=1, help="for places, chances and bays")
    return made


def main(argv: list[str] | None = None) -> int:
    """Run one load test; exit status 2 when there is nothing to load."""
    fields = vars(parser().parse_args(argv))
    fields["only"] = tuple(fields["only"] or PARTS)
    command = " ".join(["python -m load_tests", *(sys.argv[1:] if argv is None else argv)])
    now = datetime.now().astimezone()
    # As Ctrl-C does: what was put aside or started comes back or ends.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(Options(**fields), command, now, lambda line: print(line, flush=True))
    except (TargetError, StageError, LookupError, httpx.HTTPError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
