"""City queries: the statements of `sql/queries/city.sql`."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from parking_api.city.opening import Opening
from parking_api.models import DataState, LotStatus, LotType, Named, Placed, Reporting
from sql.engine import Db
from sql.statements import Row, Statements

statement = Statements("city")


class LotBasics(Named, Placed, Row):
    """The columns with which every row about a lot begins."""

    zone_id: str | None
    name_zh: str
    name_en: str
    lot_type: LotType
    opens_at: time | None
    closes_at: time | None
    timezone: str
    closed_from: datetime | None
    closed_until: datetime | None
    observed_at: datetime | None
    longitude: float
    latitude: float

    @property
    def opening(self) -> Opening:
        """When it is open."""
        closure = self.closed_from, self.closed_until
        return Opening(self.opens_at, self.closes_at, self.timezone, *closure)


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
    closed_reason: str | None
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
    is_shut: bool


class CityLot(LotColumns, gc=False):
    """A lot as registered and as last reported; `lot_now` derives its state at a time."""

    registered_capacity: int
    capacity: int | None
    free_spaces: int | None
    unknown_spaces: int | None
    occupied_bits: bytes | None
    unknown_bits: bytes | None


class BayPlace(Row):
    """A bay with its place; `lot_place` is that of its lot among all lots, from 1."""

    lot_place: int
    number: int
    level: int
    space_class: int
    longitude: float
    latitude: float


class District(Named, Row):
    """A district; its outline is WKB, degrees in WGS 84."""

    adcode: str
    name_zh: str
    name_en: str
    outline: bytes


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


class Applied(Row):
    """How many observations the ingester had applied at its newest heartbeat, since its start."""

    heartbeat_at: datetime | None
    observations: int | None


@statement
async def totals(db: Db) -> list[Totals]:
    """Read the totals: one row of the city, one of each district."""


@statement
async def readiness(db: Db, heartbeat_within: timedelta) -> Readiness:
    """Read whether all lots have reported, and whether the ingester runs."""


@statement
async def applied(db: Db) -> Applied | None:
    """Read how many observations were applied until when; None before the first heartbeat."""


@statement
async def newest_commit(db: Db) -> datetime | None:
    """Read the newest commit of any lot's state; None before the first."""


@statement
async def all_lots(
    db: Db, *, after: str = "", most: int, lot_ids: Sequence[str] | None = None
) -> list[CityLot]:
    """Read lots by `lot_id`, from the one after `after` on, or some, for the copy in memory."""


@statement
async def retired_lots(db: Db, lot_ids: Sequence[str] | None = None) -> list[str]:
    """Read which lots are retired; of some, or of all."""


@statement
async def all_bays(db: Db) -> list[BayPlace]:
    """Read every bay, for the copy in memory."""


@statement
async def districts(db: Db) -> list[District]:
    """Read the districts by their code."""
