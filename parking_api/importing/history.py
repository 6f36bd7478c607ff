"""Imports a city's past: every file is checked first, then each day is a transaction of its own.

The days come as they are in files (`history_files.py`) and go by COPY into `lot_occupancy_day`,
the newest first. Of a lot only those steps are taken that nothing is known of yet: what feeds have
written, or an import before, stays as it is, so that the same import again adds nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from parking_api.importing import queries
from parking_api.importing.faults import Faults
from parking_api.importing.history_files import Against, PastDay, PastLot, find_days, read_day
from parking_api.importing.progress import Steps
from parking_api.importing.tariffs import IMPORTER
from parking_api.importing.texts import Encoding
from parking_api.workflow import Act, acting
from sql.engine import AdvisoryLock, Db, lock
from sql.partitions import OCCUPANCY_DAYS, least_retention, make_missing


@dataclass(frozen=True)
class LoadedDay:
    """What an import of a day has added: to how many lots, and how many steps of 300 s."""

    day: date
    lots: int
    steps: int

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.day}: {self.lots:,} lots, {self.steps:,} steps"


@dataclass
class HistoryImport:
    """What an import of history has done, also where it was cut off.

    Attributes:
        days: The days that are done, newest first; of some, nothing may have been new.
        too_old: Days that were left out, because they would be removed as too old at once.
        kept_days: How many days occupancy is kept.
        notes: How files were read.
    """

    days: list[LoadedDay] = field(default_factory=list)
    too_old: list[date] = field(default_factory=list)
    kept_days: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """Steps of all days."""
        return sum(each.steps for each in self.days)


async def import_history(
    db: Db,
    directory: Path,
    *,
    clock: Callable[[], datetime],
    done: HistoryImport,
    steps: Steps,
    say: Callable[[LoadedDay], None],
    encoding: Encoding = "utf-8",
    dry_run: bool = False,
) -> None:
    """Import a directory of past days.

    Args:
        db: A connection to a migrated database, outside any transaction.
        directory: Where the files are.
        clock: The time now: no step may end after it.
        done: Filled as days are done, so that it is right however this ends.
        steps: Shows how far it is.
        say: Told of each day, once it is committed.
        encoding: What those files are in that are not UTF-8.
        dry_run: Say what would be added, and add nothing.

    Raises:
        ImportFaultsError: The files have faults. Nothing was changed, unless they were exchanged
            after they had been checked: then the days in `done` stay.
    """
    against = Against(frozenset(await queries.lot_ids(db)), clock(), encoding)
    files = await _checked(db, directory, against, done, steps)
    starts = sorted({OCCUPANCY_DAYS.start(PastDay(day).day_at) for day in files})
    if not dry_run:
        await make_missing(db, OCCUPANCY_DAYS, starts)
    with steps.step("writing days", len(files)) as task:
        for day, path in steps.track(files.items(), task_id=task):
            faults = Faults()
            past = read_day(path, day, against, faults)
            faults.raise_if_any()
            async with acting(db, IMPORTER, clock()) as act:
                loaded = await _load(act, past, dry_run=dry_run)
            done.days.append(loaded)
            say(loaded)


async def _checked(
    db: Db, directory: Path, against: Against, done: HistoryImport, steps: Steps
) -> Mapping[date, Path]:
    """Return the files to load, newest first, all of them right."""
    faults = Faults()
    files = find_days(directory, faults)
    with steps.step("checking files", len(files)) as task:
        for day, path in steps.track(files.items(), task_id=task):
            read_day(path, day, against, faults)
    faults.raise_if_any()
    done.notes += faults.notes
    kept = await least_retention(db, OCCUPANCY_DAYS)
    done.kept_days = kept.days
    # Whole partitions go; so a day is kept as long as the youngest one of its month.
    oldest = OCCUPANCY_DAYS.start(against.now - kept)
    done.too_old += [day for day in files if day < oldest]
    return {day: path for day, path in files.items() if day >= oldest}


async def _load(act: Act, past: PastDay, *, dry_run: bool) -> LoadedDay:
    """Add the steps of a day that nothing is known of, and record that in the audit."""
    await lock(act.db, AdvisoryLock.HISTORY)
    known = {
        each.lot_id: each
        for each in await queries.known_steps(act.db, past.day_at, list(past.lots))
    }
    new = dict(_new(past, known))
    steps = sum(len(lot.occupied) - lot.occupied.count(None) for lot in new.values())
    loaded = LoadedDay(past.day, len(new), steps)
    if new and not dry_run:
        await queries.copy_past(
            act.db,
            (
                (
                    lot_id,
                    past.day_at,
                    known[lot_id].next_part if lot_id in known else 0,
                    lot.capacity,
                    lot.occupied,
                    lot.covered_s,
                )
                for lot_id, lot in new.items()
            ),
        )
        after = {"lots": loaded.lots, "steps": loaded.steps}
        act.keep("history.import", f"history/{past.day}", None, after)
    return loaded


def _new(past: PastDay, known: Mapping[str, queries.KnownSteps]) -> Iterator[tuple[str, PastLot]]:
    for lot_id, lot in past.lots.items():
        left = lot.without(known[lot_id].places) if lot_id in known else lot
        if left is not None:
            yield lot_id, left
