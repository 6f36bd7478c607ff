"""Partitions of history: made ahead of time, dropped after their retention."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sql.engine import Db

AHEAD = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table with one partition for each range of time, and a default partition.

    Attributes:
        table: Its name.
        key: The column that the ranges are of.
        unit: `day` or `month`, in UTC.
    """

    table: str
    key: str
    unit: str

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
    retentions = {**dict.fromkeys(EVENTS, event_retention), OCCUPANCY: occupancy_retention}
    rows = await db.fetch("SELECT table_name, days FROM retention")
    least = {row["table_name"]: timedelta(days=row["days"]) for row in rows}
    for partitioned, given in retentions.items():
        retention = max(given, least[partitioned.table])
        existing = await _existing(db, partitioned)
        for start in partitioned.starts(now, now + AHEAD):
            if partitioned.name(start) not in existing:
                await _make(db, partitioned, start)
                made.append(partitioned.name(start))
        oldest = partitioned.name(partitioned.start(now - retention))
        for name in sorted(existing):
            if name < oldest:
                await db.execute("SELECT drop_partition($1, $2)", partitioned.table, name)
                dropped.append(name)
    return made, dropped


async def _existing(db: Db, partitioned: Partitioned) -> set[str]:
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
