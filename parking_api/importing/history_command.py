"""`python -m parking_api import --history DIR`: what it answers."""

import argparse
import asyncio
import time
from datetime import UTC, datetime

from rich.console import Console

from parking_api.command_line import DATABASE_ERRORS, connected, reason, say
from parking_api.importing.faults import ImportFaultsError
from parking_api.importing.history import HistoryImport, LoadedDay, import_history
from parking_api.importing.progress import Steps


def run_command(arguments: argparse.Namespace, url: str, out: Console, err: Console) -> int:
    """Import the history that the command line names, and say how it went.

    Args:
        arguments: As the command declares them, checked.
        url: The database.
        out: Where it says what was done.
        err: Where it says what is wrong.

    Returns:
        The exit status: 0 done, 1 nothing was changed, or only the days that it says.
    """
    done = HistoryImport()
    try:
        asyncio.run(_import_history(arguments, url, out, done))
    except ImportFaultsError as error:
        say(err, *error.faults.notes, *error.faults.lines())
        say(err, f"{error.faults.counted()}; {_left_at(done)}")
        return 1
    except DATABASE_ERRORS as error:
        say(err, f"the database: {reason(error)}", _left_at(done))
        return 1
    except KeyboardInterrupt:
        say(err, f"interrupted; {_left_at(done)}")
        return 1
    return 0


async def _import_history(
    arguments: argparse.Namespace, url: str, out: Console, done: HistoryImport
) -> None:
    began = time.monotonic()

    def tell(loaded: LoadedDay) -> None:
        say(out, f"{'would add' if arguments.dry_run else 'added'} {loaded}")

    async with connected(url, "parking_api import") as connection:
        with Steps(out) as steps:
            await import_history(
                connection,
                arguments.path,
                clock=lambda: datetime.now(UTC),
                done=done,
                steps=steps,
                say=tell,
                encoding=arguments.encoding,
                dry_run=arguments.dry_run,
            )
    say(out, *done.notes)
    if done.too_old:
        days = f"{min(done.too_old)} to {max(done.too_old)}"
        say(
            out,
            f"note: left out {len(done.too_old):,} days, {days}: occupancy is kept "
            f"{done.kept_days} days, so they would be removed at once (see `retention`)",
        )
    took = f"in {time.monotonic() - began:.1f} s"
    if arguments.dry_run:
        say(out, f"dry run: would add {done.steps:,} steps; nothing was changed")
    else:
        say(out, f"imported {done.steps:,} steps of {len(done.days):,} days {took}")


def _left_at(done: HistoryImport) -> str:
    """Say what is there after an import of history that was cut off."""
    if not done.days:
        return "nothing was changed"
    first, last = done.days[-1].day, done.days[0].day
    return f"{len(done.days):,} days are done, {first} to {last}; give the same command again"
