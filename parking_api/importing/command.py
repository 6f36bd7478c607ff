"""`python -m parking_api import DIR|FILE`: what the command line says, and what it answers."""

import argparse
import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from rich.console import Console

import parking_api.importing
from parking_api.command_line import DATABASE_ERRORS, connected, reason, say
from parking_api.coordinates import CRS_NAMES
from parking_api.importing import history_command, history_files, lots_file
from parking_api.importing.faults import ImportFaultsError
from parking_api.importing.lots_file import LotOptions
from parking_api.importing.moved import FilesChangedError, ImportUndecidedError
from parking_api.importing.progress import Steps
from parking_api.importing.reading import message
from parking_api.importing.rows import LotRow
from parking_api.importing.service import import_city, import_lots
from parking_api.importing.tables import TABLE_SUFFIXES
from parking_api.importing.texts import ENCODINGS
from parking_api.importing.totals import LotsImport, Totals
from parking_api.quotes.coverage import described

# As many lots as a note names.
MOST_NAMED: Final = 20
# As many lines as a dry run has, each a thing.
MOST_CHANGES: Final = 200
_SUFFIXES: Final = (*TABLE_SUFFIXES, ".json", ".geojson")
_WORKBOOKS: Final = (".xlsx", ".xls", ".et", ".ods")
# Option by field of a lot, with its help.
_LOT_OPTIONS: Final = {
    "operator_id": ("--operator", "ID", "whose the lots are; added if it is not there"),
    "gateway_id": ("--gateway", "ID", "what reports for them; added if it is not there"),
    "lot_type": ("--lot-type", "TYPE", "on_street, surface, underground or multi_storey"),
    "reporting": ("--reporting", "KIND", "bays or count"),
    "report_interval_s": ("--report-interval-s", "S", "longest silence that is normal, seconds"),
    "timezone": ("--timezone", "ZONE", "IANA time zone of the opening hours"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options on its parser."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    described = parking_api.importing, lots_file, history_files
    parser.epilog = "\n\n".join(str(each.__doc__) for each in described)
    parser.add_argument("path", type=Path, metavar="DIR|FILE", help="a city, or a file of lots")
    parser.add_argument(
        "--encoding",
        choices=ENCODINGS,
        default="utf-8",
        help="what a file that is not UTF-8 is in; Excel and WPS write gbk in China",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would change, and change nothing"
    )
    parser.add_argument(
        "--history",
        action="store_true",
        help="DIR has a city's past, a file a day: add what is not known yet, the newest day first",
    )
    lots = parser.add_argument_group("for a FILE: what its rows leave open")
    for name, (option, metavar, text) in _LOT_OPTIONS.items():
        lots.add_argument(option, dest=name, metavar=metavar, type=_value_of(name), help=text)
    lots.add_argument("--id-prefix", default="", help="put before every lot_id")
    lots.add_argument("--crs", choices=CRS_NAMES, default="wgs84", help="of the coordinates")
    lots.add_argument("--skip-bad", action="store_true", help="import the rows that are right")


def _value_of(name: str) -> Callable[[str], str]:
    """Make the check of an option's value, which is the check of the column."""
    column = TypeAdapter[Any](LotRow.__annotations__[name])

    def check(text: str) -> str:
        try:
            column.validate_python(text)
        except ValidationError as error:
            detail = error.errors()[0]
            raise argparse.ArgumentTypeError(
                message(detail["type"], detail["msg"], text)
            ) from error
        return text

    return check


def check_arguments(arguments: argparse.Namespace) -> str | None:
    """Say what is wrong with the command line as a whole; None if nothing is."""
    path: Path = arguments.path
    if not (path.is_dir() if arguments.history else path.exists()):
        return f"there is no {'directory ' if arguments.history else ''}{path}"
    # What is read twice from a pipe differs.
    for found in path.rglob("*") if path.is_dir() else [path]:
        if not (found.is_file() or found.is_dir()):
            return f"{found} is no regular file"
    if path.is_dir():
        wrong = [option for name, (option, _, _) in _LOT_OPTIONS.items() if vars(arguments)[name]]
        wrong += ["--skip-bad"] * arguments.skip_bad + ["--id-prefix"] * bool(arguments.id_prefix)
        wrong += ["--crs"] * (arguments.crs != "wgs84")
        return f"{', '.join(wrong)}: for a file of lots, not for a directory" if wrong else None
    if path.suffix.lower() in _WORKBOOKS:
        return f"{path.name} is a workbook: save its sheet as CSV (UTF-8, or with --encoding gbk)"
    if path.suffix.lower() not in _SUFFIXES:
        return f"{path.name}: a file of lots ends in {', '.join(_SUFFIXES)}"
    return None


def run_command(arguments: argparse.Namespace, url: str) -> int:
    """Import what the command line names, and say how it went.

    Args:
        arguments: As `add_arguments` declares them, passed by `check_arguments`.
        url: The database.

    Returns:
        The exit status: 0 done, 1 nothing was changed.
    """
    out, err = Console(), Console(stderr=True)
    if arguments.history:
        return history_command.run_command(arguments, url, out, err)
    try:
        asyncio.run(_import(arguments, url, out, err))
    except ImportFaultsError as error:
        say(err, *error.faults.notes, *error.faults.lines())
        say(err, f"{error.faults.counted()}; nothing was changed")
        return 1
    except (FilesChangedError, ImportUndecidedError) as error:
        say(err, str(error), "nothing was changed")
        return 1
    except DATABASE_ERRORS as error:
        say(err, f"the database: {reason(error)}", "nothing was changed")
        return 1
    return 0


async def _import(arguments: argparse.Namespace, url: str, out: Console, err: Console) -> None:
    began, at = time.monotonic(), datetime.now(UTC)
    async with connected(url, "parking_api import") as connection:
        if arguments.path.is_dir():
            with Steps(out) as steps:
                totals = await import_city(
                    connection,
                    arguments.path,
                    at=at,
                    steps=steps,
                    encoding=arguments.encoding,
                    dry_run=arguments.dry_run,
                )
        else:
            done = await import_lots(
                connection,
                arguments.path,
                lot_options(arguments),
                at=at,
                dry_run=arguments.dry_run,
            )
            say(err, *_left_out(done))
            totals = done.totals
    say(out, *totals.notes)
    say(err, *doubts_note(totals), *unpriced_note(totals))
    if totals.changes is not None and totals.moved:
        say(err, f"note: the price of {len(totals.moved):,} lots would change: two persons decide")
    if totals.changes is None:
        say(out, f"imported {totals} in {time.monotonic() - began:.1f} s")
    else:
        say(out, *_first(totals.changes, MOST_CHANGES, "changes"))
        say(out, f"dry run: would import {totals}; nothing was changed")


def lot_options(arguments: argparse.Namespace) -> LotOptions:
    """Gather what the command line says about the lots of a file."""
    values = vars(arguments)
    return LotOptions(
        given={name: values[name] for name in _LOT_OPTIONS if values[name] is not None},
        id_prefix=arguments.id_prefix,
        crs=arguments.crs,
        skip_bad=arguments.skip_bad,
        encoding=arguments.encoding,
    )


def doubts_note(totals: Totals) -> list[str]:
    """Say which lots are imported and may be wrong, the first of them by name."""
    return _first([f"warning: {doubt}" for doubt in totals.doubts], MOST_NAMED, "warnings")


def _first(lines: Sequence[str], most: int, noun: str) -> list[str]:
    more = len(lines) - most
    return [*lines[:most], *[f"and {more:,} more {noun}"] * (more > 0)]


def unpriced_note(totals: Totals) -> list[str]:
    """Say which lots have lost their price by the import, the first of them by name."""
    lots = totals.unpriced
    if not lots:
        return []
    noun = "1 lot has" if len(lots) == 1 else f"{len(lots):,} lots have"
    if totals.changes is not None:
        noun = "1 lot would have" if len(lots) == 1 else f"{len(lots):,} lots would have"
    named = [f"  {described(each)}" for each in lots[:MOST_NAMED]]
    more = [f"  and {len(lots) - MOST_NAMED:,} more"] if len(lots) > MOST_NAMED else []
    return [f"note: {noun} lost their price:", *named, *more]


def _left_out(done: LotsImport) -> list[str]:
    if not done.left_out.total:
        return []
    bad = len(done.left_out.bad_rows)
    return [
        *done.left_out.lines(),
        f"{done.left_out.counted()}; left out {bad} of {done.rows} lots",
    ]
