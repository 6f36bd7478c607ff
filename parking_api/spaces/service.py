"""Reads bays for answers: the nearest free bays, and all bays of a lot."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from parking_api.city.bays import FREE, UNKNOWN_BAY, Bays
from parking_api.city.memory import City
from parking_api.city.queries import newest_commit
from parking_api.city.service import missing
from parking_api.city.states import micros
from parking_api.city.table import DATA_STATES
from parking_api.models import DISTANCE_STEPS, Json, local, point, rounded
from parking_api.spaces import queries
from parking_api.spaces.models import LotSpacesAsk, NearestSpacesAsk
from parking_api.spaces.queries import Bay, LotOfBays, NearestSpace
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


async def lot_spaces(db: Db, ask: LotSpacesAsk, lot_id: str) -> Json:
    """Read the bays of one lot with their states, in the form that is asked for.

    Raises:
        LotRetiredError: It is retired.
        LotUnknownError: There is none of that id.
    """
    async with transaction(db, isolation="repeatable_read", readonly=True):
        lot = await queries.lot(db, lot_id)
        bays = await queries.bays(db, lot_id)
    if lot is None:
        raise await missing(db, lot_id)
    if ask.f == "bits":
        numbers = np.array([bay.number for bay in bays], dtype=np.intp)
        states = np.array([SPACE_STATES.index(bay.state) for bay in bays], dtype=np.int8)
        return _bits(lot_id, lot, numbers, states, degraded=False)
    return _items(lot_id, lot, bays, degraded=False)


def remembered_bays(
    city: City, ask: LotSpacesAsk, lot_id: str, now: datetime, *, degraded: bool
) -> Json:
    """Return the bays of one lot from memory, as `lot_spaces` does.

    Raises:
        LotRetiredError: It is retired.
        LotUnknownError: There is none of that id.
    """
    table = city.table
    lot = city.lot(lot_id)
    state, worth = lot.state, DATA_STATES[table.data_state(lot, micros(now))]
    row = LotOfBays(
        timezone=lot.facts.timezone,
        reporting=lot.facts.reporting,
        capacity=lot.capacity,
        data_state=worth,
        observed_at=state.observed_at if state else None,
        committed_at=state.committed_at if state else None,
    )
    bays, of_lot, states = table.bays, table.bays.of_lot(lot.index), table.bay_states(lot)
    if worth == "unknown":
        states = np.full_like(states, UNKNOWN_BAY)
    if ask.f == "bits":
        return _bits(lot_id, row, bays.numbers[of_lot], states, degraded=degraded)
    rows = [
        Bay(state=SPACE_STATES[code], **place(bays, index))
        for index, code in zip(range(of_lot.start, of_lot.stop), states.tolist(), strict=True)
    ]
    return _items(lot_id, row, rows, degraded=degraded)


def _items(lot_id: str, lot: LotOfBays, bays: Sequence[Bay], *, degraded: bool) -> Json:
    """Return the bays of a lot, each with its state."""
    items = [_bay(bay, lot_id) | {"state": bay.state} for bay in bays]
    return {"items": items, "next": None, **_envelope(lot, degraded=degraded)}


def _bits(
    lot_id: str,
    lot: LotOfBays,
    numbers: NDArray[np.signedinteger],
    states: NDArray[np.int8],
    *,
    degraded: bool,
) -> Json:
    """Return the states of a lot's bays as bitmaps, by their numbers."""
    known = np.full(max(lot.capacity, int(numbers.max(initial=0))), UNKNOWN_BAY, dtype=np.int8)
    known[numbers - 1] = states
    senses = lot.reporting == "bays"
    return {
        "lot_id": lot_id,
        "capacity": lot.capacity,
        "free": _packed(known == FREE) if senses else None,
        "unknown": _packed(known == UNKNOWN_BAY) if senses else None,
        **_envelope(lot, degraded=degraded),
    }


def _packed(bits: NDArray[np.bool_]) -> str:
    return b64encode(np.packbits(bits, bitorder="little").tobytes()).decode()


def _envelope(lot: LotOfBays, *, degraded: bool) -> Json:
    return {
        "data_state": lot.data_state,
        "observed_at": local(lot.observed_at, lot.timezone),
        "as_of": local(lot.committed_at, lot.timezone),
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
