"""Partitions of history: made ahead of time, dropped after their retention."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import asyncpg

from sql.engine import Db

AHEAD = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table with one partition for each range of time, and a default partition.

    Attributes:
        table: Its name.
        key: The column that the ranges are of.
        unit: `day` or `month`, in UTC.
        kept_with: The table by whose retention it is kept, where that is another.
    """

    table: str
    key: str
    unit: str
    kept_with: str | None = None

    def start(self, at: datetime) -> date:
        """Return the start of the range of an instant."""
        day = at.astimezone(UTC).date()
        return day if self.unit == "day" else day.replace(day=1)

    def after(self, start: date) -> date:
        """Return the start of the next range."""
        if self.unit == "day":
            return start + timedelta(days=1)
        return (start + timedelta(days=31)).replace(day=1)

    def name(self, start: date) -> str:
        """Return the name of the partition of the range that starts there."""
        return f"{self.table}_p{start:%Y%m%d}"

    def starts(self, first: datetime, last: datetime) -> Iterator[date]:
        """Yield the start of each range from the one of `first` to the one of `last`."""
        start = self.start(first)
        while start <= self.start(last):
            yield start
            start = self.after(start)


EVENTS = (
    Partitioned("space_event", "received_at", "day"),
    Partitioned("count_event", "received_at", "day"),
)
OCCUPANCY = Partitioned("lot_occupancy", "step_at", "month")
OCCUPANCY_DAYS = Partitioned("lot_occupancy_day", "day_at", "month", OCCUPANCY.table)
OCCUPANCY_FED = Partitioned("lot_occupancy_fed", "day_at", "month", OCCUPANCY.table)


async def maintain(
    db: Db,
    now: datetime,
    *,
    event_retention: timedelta,
    occupancy_retention: timedelta,
) -> tuple[list[str], list[str]]:
    """Make the partitions of the coming days, and drop those that are entirely too old.

    The table `retention`, which only the database's owner changes, may keep them for longer.

    Rows that went into a default partition because theirs was missing are moved when theirs is
    made. Rows of times long ago, such as replayed history, stay in the default partition.

    Args:
        db: A connection outside any transaction.
        now: The platform's clock.
        event_retention: How long single changes are kept.
        occupancy_retention: How long occupancy in steps is kept.

    Returns:
        Names of the partitions made, and of those dropped.
    """
    made: list[str] = []
    dropped: list[str] = []
    retentions = {
        **dict.fromkeys(EVENTS, event_retention),
        **dict.fromkeys((OCCUPANCY, OCCUPANCY_DAYS, OCCUPANCY_FED), occupancy_retention),
    }
    for partitioned, given in retentions.items():
        retention = max(given, await least_retention(db, partitioned))
        made += await make_missing(db, partitioned, partitioned.starts(now, now + AHEAD))
        oldest = partitioned.name(partitioned.start(now - retention))
        for name in sorted(await existing(db, partitioned)):
            if name < oldest:
                await db.execute("SELECT drop_partition($1, $2)", partitioned.table, name)
                dropped.append(name)
    return made, dropped


async def least_retention(db: Db, partitioned: Partitioned) -> timedelta:
    """Read how long a table is kept at least, as the database's owner has said."""
    days = await db.fetchval(
        "SELECT days FROM retention WHERE table_name = $1",
        partitioned.kept_with or partitioned.table,
    )
    return timedelta(days=days)


async def make_missing(db: Db, partitioned: Partitioned, starts: Iterable[date]) -> list[str]:
    """Make the partitions that are not there yet.

    Args:
        db: A connection outside any transaction.
        partitioned: Whose.
        starts: Of their ranges.

    Returns:
        Names of the partitions made.
    """
    there = await existing(db, partitioned)
    made = []
    for start in starts:
        if (name := partitioned.name(start)) not in there:
            # Another program may make the same one at the same time; which of the two errors
            # comes then depends on how far it is.
            with suppress(asyncpg.DuplicateTableError, asyncpg.UniqueViolationError):
                await _make(db, partitioned, start)
                made.append(name)
    return made


async def existing(db: Db, partitioned: Partitioned) -> set[str]:
    """Return the names of the dated partitions of a table."""
    rows = await db.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits"
        " WHERE inhparent = $1::text::regclass",
        partitioned.table,
    )
    return {row["name"] for row in rows} - {f"{partitioned.table}_default"}


async def _make(db: Db, partitioned: Partitioned, start: date) -> None:
    # A function of the schema's owner: the application itself may do no DDL.
    await db.execute(
        "SELECT make_partition($1, $2, $3)",
        partitioned.table,
        start,
        partitioned.after(start),
    )
