"""The subcommand `history`: what a city's lots held, written for the platform's import."""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from simulators.demand.flow import STEP_S
from simulators.fleet import CITY_TIMEZONE, DEFAULT_SEED
from simulators.history.files import Files, OtherHistoryError
from simulators.history.past import Past, Span
from simulators.registry import RegistryError, read_lots

# A slip of the finger shall not ask for a thousand years.
_YEARS: Final = range(2000, 2100)
ABOUT: Final = """\
Writes a file for each day of UTC (2026-11-20.csv.gz), the newest first: the occupied bays of each
lot by five minutes, as `python -m parking_api import --history DIR` takes them. The same city and
seed give the same day, whatever else is asked for. Days that are there stay: so a run that was cut
off goes on where it stopped.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `history`."""
    parser.description = ABOUT
    parser.add_argument("directory", type=Path, metavar="DIR", help="where the files go")
    for name, text in (("from", "the first day, or instant"), ("to", "not included")):
        parser.add_argument(
            f"--{name}",
            dest=f"{name}_at",
            metavar="DATE",
            type=_instant,
            required=True,
            help=f"{text}: 2026-11-20 (UTC), or 2026-11-20T08:05+08:00",
        )
    parser.add_argument(
        "--city", type=Path, default=Path("var/city"), help="its files (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=DEFAULT_SEED, help="of the demand (default: %(default)s)"
    )


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date, such as 2026-11-20") from None
    if at.tzinfo is None:
        if len(text) > len("2026-11-20"):
            raise argparse.ArgumentTypeError(f"{text!r} has no offset, such as +08:00")
        at = at.replace(tzinfo=UTC)
    if at.year not in _YEARS:
        years = f"{_YEARS.start} to {_YEARS.stop - 1}"
        raise argparse.ArgumentTypeError(f"{text!r} is not in the years {years}")
    return datetime.fromtimestamp(int(at.timestamp()) // STEP_S * STEP_S, UTC)


def run_command(args: argparse.Namespace) -> int:
    """Write the days that are not there yet.

    Returns:
        0 when all are there, 1 where they cannot be written, 2 when the arguments are refused.
    """
    if args.from_at >= args.to_at:
        return _refuse("--to is not after --from")
    try:
        lots = read_lots(args.city / "lots.csv")
        if not lots:
            return _refuse(f"{args.city / 'lots.csv'} has no lot")
        offset = args.to_at.astimezone(CITY_TIMEZONE).utcoffset()
        past = Past(lots, args.seed, int(offset.total_seconds()))
        _write(past, Span(args.from_at, args.to_at), Files(args.directory, past))
    except (RegistryError, OtherHistoryError) as error:
        return _refuse(str(error))
    except OSError as error:
        sys.stderr.write(f"history: {error.filename or args.directory}: {error.strerror}\n")
        return 1
    return 0


def _write(past: Past, span: Span, files: Files) -> None:
    began = time.monotonic()
    wanted = [day for day in span.days if not files.has(day, span.steps(day))]
    if there := len(span.days) - len(wanted):
        sys.stdout.write(f"{there:,} days are there already\n")
    for day, halves in past.days(wanted):
        files.write(day, span.steps(day), halves)
        sys.stdout.write(f"{day}: {len(past.lots):,} lots\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(wanted):,} days written in {time.monotonic() - began:.1f} s\n")


def _refuse(reason: str) -> int:
    sys.stderr.write(f"history: {reason}\n")
    return 2
