"""Lot queries: the statements of `sql/queries/lots.sql`."""

from datetime import datetime, time

from parking_api.models import DataState, LotStatus, LotType, Named, Placed, Reporting
from sql.engine import Db
from sql.statements import Row, Statements

statement = Statements("lots")


class LotBasics(Named, Placed, Row):
    """The columns with which every row about a lot begins."""

    zone_id: str | None
    name_zh: str
    name_en: str
    lot_type: LotType
    opens_at: time | None
    closes_at: time | None
    timezone: str
    observed_at: datetime | None
    longitude: float
    latitude: float


class LotColumns(LotBasics):
    """The columns that a lot has at any time; `LotNow` and the city's `CityLot` add its state."""

    lot_id: str
    operator_id: str
    district: str | None
    land_use: str | None
    reporting: Reporting
    report_interval_s: int
    levels: int
    height_limit_m: float | None
    version: int | None
    committed_at: datetime | None
    free_standard: int | None
    free_accessible: int | None
    free_ev: int | None
    free_large: int | None


class LotNow(LotColumns):
    """A lot with its state, by the rules of the view `lot_now`."""

    capacity: int
    free_spaces: int | None
    unknown_spaces: int
    age_s: float | None
    data_state: DataState
    status: LotStatus


class CityLot(LotColumns):
    """A lot as registered and as last reported; `lot_now` derives its state at a time."""

    registered_capacity: int
    capacity: int | None
    free_spaces: int | None
    unknown_spaces: int | None
    district_zh: str | None
    district_en: str | None


class NearestLot(LotBasics):
    """A lot near a place; all but `as_of` is null in the single row of none."""

    as_of: datetime | None
    lot_id: str | None
    distance_m: float
    capacity: int
    free_spaces: int | None
    unknown_spaces: int
    free_of_class: int | None
    age_s: float | None
    data_state: DataState
    status: LotStatus


class OccupancyStep(Row):
    """A step of a lot's history."""

    starts_at: datetime
    capacity: int | None
    free_spaces: float | None
    free_min: int | None
    free_max: int | None
    free_last: int | None
    occupancy: float | None
    coverage: float


@statement
async def nearest_lots(
    db: Db,
    *,
    lon: float,
    lat: float,
    radius_m: float,
    most: int,
    min_free: int,
    space_class: str | None,
    height_m: float | None,
    opens_by: datetime | None,
    closes_after: datetime | None,
) -> list[NearestLot]:
    """Read the lots nearest to a place, by geodesic distance on the spheroid."""


@statement
async def lots(
    db: Db,
    *,
    most: int,
    after: str = "",
    lot_id: str | None = None,
    west: float | None = None,
    south: float | None = None,
    east: float | None = None,
    north: float | None = None,
    district: str | None = None,
    zone_id: str | None = None,
    operator_id: str | None = None,
    lot_type: str | None = None,
    status: str | None = None,
    opens_by: datetime | None = None,
    closes_after: datetime | None = None,
) -> list[LotNow]:
    """Read lots by `lot_id`, from the one after `after` on; or a single one."""


@statement
async def timezone(db: Db, lot_id: str) -> str | None:
    """Read the time zone of a lot; None where there is no such lot."""


@statement
async def occupancy(
    db: Db, lot_id: str, start: datetime, until: datetime, step_s: int
) -> list[OccupancyStep]:
    """Read the history of one lot from `start`, on a whole step, to before `until`."""


@statement
async def all_lots(db: Db) -> list[CityLot]:
    """Read every lot, for the copy of the city in memory."""
