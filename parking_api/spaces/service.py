"""Reads bays for answers: the nearest free bays, and all bays of a lot."""

from parking_api.errors import LotUnknownError
from parking_api.models import DISTANCE_DIGITS, Json, local, point
from parking_api.spaces import queries
from parking_api.spaces.models import NearestSpacesAsk
from parking_api.spaces.queries import Bay, NearestSpace
from sql.engine import Db


async def nearest_spaces(db: Db, ask: NearestSpacesAsk) -> Json:
    """Read the free bays nearest to a place, by geodesic distance on the spheroid."""
    found = await queries.nearest_spaces(
        db,
        lon=ask.lon,
        lat=ask.lat,
        radius_m=ask.radius_m,
        most=ask.limit,
        space_class=ask.space_class,
        height_m=ask.height_m,
    )
    spaces = [_nearest_space(bay, bay.lot_id) for bay in found if bay.lot_id is not None]
    return {"spaces": spaces, "as_of": found[0].as_of}


async def lot_spaces(db: Db, lot_id: str) -> Json:
    """Read the bays of one lot with their states.

    Raises:
        LotUnknownError: There is none of that id.
    """
    found = await queries.bays(db, lot_id)
    if not found:
        raise LotUnknownError
    lot = found[0]
    bays = [bay for bay in found if bay.number is not None]
    return {
        "items": [_bay(bay, lot_id) | {"state": bay.state} for bay in bays],
        "next": None,
        "data_state": lot.data_state,
        "observed_at": local(lot.observed_at, lot.timezone),
        "as_of": local(lot.committed_at, lot.timezone),
    }


def _bay(bay: Bay | NearestSpace, lot_id: str) -> Json:
    return {
        "space_id": f"{lot_id}-{bay.number:04d}",
        "number": bay.number,
        "level": bay.level,
        "space_class": bay.space_class,
        "location": point(bay),
    }


def _nearest_space(bay: NearestSpace, lot_id: str) -> Json:
    return {
        **_bay(bay, lot_id),
        "lot_id": lot_id,
        "distance_m": round(bay.distance_m, DISTANCE_DIGITS),
        "data_state": bay.data_state,
        "observed_at": local(bay.observed_at, bay.timezone),
    }
