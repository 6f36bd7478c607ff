"""Bay queries: the statements of `sql/queries/spaces.sql`."""

from datetime import datetime

from parking_api.models import DataState, Placed, Reporting, SpaceClass, SpaceState
from sql.engine import Db
from sql.statements import Row, Statements

statement = Statements("spaces")


class NearestSpace(Placed, Row):
    """A free bay near a place."""

    lot_id: str
    number: int
    level: int
    space_class: SpaceClass
    distance_m: float
    data_state: DataState
    observed_at: datetime
    timezone: str
    longitude: float
    latitude: float


class LotOfBays(Row):
    """What the bays of a lot have in common."""

    timezone: str
    reporting: Reporting
    capacity: int
    data_state: DataState
    observed_at: datetime | None
    committed_at: datetime | None


class Bay(Placed, Row):
    """A bay with its state."""

    number: int
    level: int
    space_class: SpaceClass
    longitude: float
    latitude: float
    state: SpaceState


@statement
async def nearest_spaces(
    db: Db,
    *,
    lon: float,
    lat: float,
    radius_m: float,
    most: int,
    space_class: str | None,
    height_m: float | None,
) -> list[NearestSpace]:
    """Read the free bays nearest to a place, by geodesic distance on the spheroid."""


@statement
async def lot(db: Db, lot_id: str) -> LotOfBays | None:
    """Read what the bays of a lot have in common; None where there is no such lot."""


@statement
async def bays(db: Db, lot_id: str) -> list[Bay]:
    """Read the bays of a lot, by number; none where the gates count."""
