"""The whole city in the database: the statements of `sql/queries/city.sql`."""

from datetime import datetime, time, timedelta

from parking_api.models import LotType, Reporting
from sql.engine import Db
from sql.statements import Row, Statements

statement = Statements("city")


class CityLot(Row):
    """A lot as registered and as last reported: `lot_now` says what that is worth at a time."""

    lot_id: str
    operator_id: str
    district: str | None
    zone_id: str | None
    name_zh: str
    name_en: str
    lot_type: LotType
    land_use: str | None
    reporting: Reporting
    report_interval_s: int
    levels: int
    height_limit_m: float | None
    opens_at: time | None
    closes_at: time | None
    timezone: str
    version: int | None
    observed_at: datetime | None
    committed_at: datetime | None
    registered_capacity: int
    capacity: int | None
    free_spaces: int | None
    unknown_spaces: int | None
    free_standard: int | None
    free_accessible: int | None
    free_ev: int | None
    free_large: int | None
    district_zh: str | None
    district_en: str | None
    longitude: float
    latitude: float


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
    """How many lots there are and are still awaited, and how the ingester does."""

    lots: int
    lots_awaited: int
    stopped: str | None
    is_beating: bool


@statement
async def lots(db: Db) -> list[CityLot]:
    """Read every lot, for the copy in memory."""


@statement
async def totals(db: Db) -> list[Totals]:
    """Read the totals: one row of the city, one of each district."""


@statement
async def readiness(db: Db, heartbeat_within: timedelta) -> Readiness:
    """Tell whether the city is whole, and the ingester at work."""
