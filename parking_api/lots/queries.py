"""Lot queries: the statements of `sql/queries/lots.sql`."""

from datetime import datetime

from parking_api.city.queries import LotBasics, LotNow
from parking_api.models import DataState, LotStatus
from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("lots")


class NearestLot(LotBasics):
    """A lot near a place."""

    lot_id: str
    distance_m: float
    capacity: int
    free_spaces: int | None
    unknown_spaces: int
    free_of_class: int | None
    age_s: float | None
    data_state: DataState
    status: LotStatus


class Closure(Row):
    """When a lot is closed for a time, and since when it is retired."""

    lot_id: str
    operator_id: str
    timezone: str
    closed_from: datetime | None
    closed_until: datetime | None
    closed_reason: str | None
    retired_at: datetime | None


class StoredStep(Row):
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
    lot_type: str | None,
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
async def lock_closure(db: Transaction, lot_id: str) -> Closure | None:
    """Read and lock when a lot is closed for a time; None where there is no such lot."""


@statement
async def set_closure(
    db: Transaction,
    lot_id: str,
    *,
    closed_from: datetime | None,
    closed_until: datetime | None,
    closed_reason: str | None,
    retired_at: datetime | None,
) -> None:
    """Close a lot for a time, or open it; retire it, or take it back."""


@statement
async def notify(db: Transaction, lot_id: str) -> None:
    """Have the ingester read a lot again at COMMIT."""


@statement
async def occupancy(
    db: Db, lot_id: str, start: datetime, until: datetime, step_s: int
) -> list[StoredStep]:
    """Read the history of one lot from `start`, on a whole step, to before `until`."""
