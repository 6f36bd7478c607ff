"""City queries: the statements of `sql/queries/city.sql`."""

from datetime import datetime, timedelta

from sql.engine import Db
from sql.statements import Row, Statements

statement = Statements("city")


class Totals(Row):
    """Sums over the lots of the city, or of a district; `occupancy` is a ratio."""

    is_city: bool
    adcode: str | None
    name_zh: str | None
    name_en: str | None
    lots: int
    capacity: int
    free_spaces: int
    unknown_spaces: int
    occupancy: float | None
    lots_live: int
    lots_stale: int
    lots_unknown: int
    as_of: datetime | None


class Readiness(Row):
    """The number of lots, of lots that have not reported yet, and the ingester's state."""

    lots: int
    lots_awaited: int
    stopped: str | None
    is_beating: bool


@statement
async def totals(db: Db) -> list[Totals]:
    """Read the totals: one row of the city, one of each district."""


@statement
async def readiness(db: Db, heartbeat_within: timedelta) -> Readiness:
    """Read whether all lots have reported, and whether the ingester runs."""
