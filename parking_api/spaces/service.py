"""Reads bays for answers: the nearest free bays, and all bays of a lot."""

from datetime import datetime

from parking_api.city.bays import Bays
from parking_api.city.memory import City
from parking_api.city.queries import newest_commit
from parking_api.city.service import missing
from parking_api.city.states import micros
from parking_api.city.table import DATA_STATES
from parking_api.models import DISTANCE_STEPS, Json, local, point, rounded
from parking_api.spaces import queries
from parking_api.spaces.models import NearestSpacesAsk
from parking_api.spaces.queries import Bay, NearestSpace
from sql.engine import Db, transaction
from sql.kinds import SPACE_CLASSES, SPACE_STATES


async def nearest_spaces(db: Db, ask: NearestSpacesAsk) -> Json:
    """Read the free bays nearest to a place, by geodesic distance on the spheroid."""
    # One snapshot: the bays have no state that is newer than `as_of`.
    async with transaction(db, isolation="repeatable_read", readonly=True):
        as_of = await newest_commit(db)
        found = await queries.nearest_spaces(
            db,
            lon=ask.lon,
            lat=ask.lat,
            radius_m=ask.radius_m,
            most=ask.limit,
            space_class=ask.space_class,
            height_m=ask.height_m,
        )
    spaces = [nearest_space(bay) for bay in found]
    return {"spaces": spaces, "as_of": as_of, "degraded": False}


def place(bays: Bays, index: int) -> Json:
    """Return the columns of a bay that never change."""
    return {
        "number": int(bays.numbers[index]),
        "level": int(bays.levels[index]),
        "space_class": SPACE_CLASSES[bays.classes[index]],
        "longitude": float(bays.lons[index]),
        "latitude": float(bays.lats[index]),
    }


async def lot_spaces(db: Db, lot_id: str) -> Json:
    """Read the bays of one lot with their states.

    Raises:
        LotRetiredError: It is retired.
        LotUnknownError: There is none of that id.
    """
    async with transaction(db, isolation="repeatable_read", readonly=True):
        lot = await queries.lot(db, lot_id)
        bays = await queries.bays(db, lot_id)
    if lot is None:
        raise await missing(db, lot_id)
    return {
        "items": [_bay(bay, lot_id) | {"state": bay.state} for bay in bays],
        "next": None,
        "data_state": lot.data_state,
        "observed_at": local(lot.observed_at, lot.timezone),
        "as_of": local(lot.committed_at, lot.timezone),
        "degraded": False,
    }


def remembered_bays(city: City, lot_id: str, now: datetime, *, degraded: bool) -> Json:
    """Return the bays of one lot from memory, as `lot_spaces` does.

    Raises:
        LotRetiredError: It is retired.
        LotUnknownError: There is none of that id.
    """
    table, at = city.table, micros(now)
    lot = city.lot(lot_id)
    state, worth = lot.state, DATA_STATES[table.data_state(lot, at)]
    bays = table.bays
    states = table.bay_states(lot)
    of_lot = bays.of_lot(lot.index)
    rows = [
        Bay(
            state="unknown" if worth == "unknown" else SPACE_STATES[code],
            **place(bays, index),
        )
        for index, code in zip(range(of_lot.start, of_lot.stop), states.tolist(), strict=True)
    ]
    return {
        "items": [_bay(row, lot_id) | {"state": row.state} for row in rows],
        "next": None,
        "data_state": worth,
        "observed_at": local(state.observed_at, lot.facts.timezone) if state else None,
        "as_of": local(state.committed_at, lot.facts.timezone) if state else None,
        "degraded": degraded,
    }


def _bay(bay: Bay | NearestSpace, lot_id: str) -> Json:
    return {
        "space_id": f"{lot_id}-{bay.number:04d}",
        "number": bay.number,
        "level": bay.level,
        "space_class": bay.space_class,
        "location": point(bay),
    }


def nearest_space(bay: NearestSpace) -> Json:
    """Return a bay for an answer of `/v1/spaces/nearest`, made from its row."""
    return {
        **_bay(bay, bay.lot_id),
        "lot_id": bay.lot_id,
        "distance_m": rounded(bay.distance_m, DISTANCE_STEPS),
        "data_state": bay.data_state,
        "observed_at": local(bay.observed_at, bay.timezone),
    }
