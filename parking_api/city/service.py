"""Makes the answers of the city's totals, from the database or from memory."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from parking_api.city.memory import City
from parking_api.city.queries import Totals, retired_lots
from parking_api.city.states import micros
from parking_api.city.table import DATA_STATES, LIVE, STALE, UNKNOWN, Mask, Table
from parking_api.errors import ApiError, LotRetiredError, LotUnknownError
from parking_api.metrics import Metrics
from parking_api.models import Json
from sql.engine import Db

OCCUPANCY_DIGITS = 4


def city(rows: Sequence[Totals], *, degraded: bool) -> Json:
    """Return the answer of `/v1/city`.

    Args:
        rows: One of the city, one a district.
        degraded: Whether they come from memory.
    """
    of_city = next(row for row in rows if row.is_city)
    districts = [
        {
            "adcode": row.adcode,
            "name": {"zh": row.name_zh, "en": row.name_en} if row.adcode else None,
            **_totals(row),
        }
        for row in rows
        if not row.is_city
    ]
    return {
        **_totals(of_city),
        "districts": districts,
        "as_of": of_city.as_of,
        "degraded": degraded,
    }


def _totals(row: Totals) -> Json:
    occupancy = row.occupancy
    return {
        "lots": row.lots,
        "capacity": row.capacity,
        "free_spaces": row.free_spaces,
        "unknown_spaces": row.unknown_spaces,
        "occupancy": None if occupancy is None else round(occupancy, OCCUPANCY_DIGITS),
        "live": row.lots_live,
        "stale": row.lots_stale,
        "estimated": 0,
        "unknown": row.lots_unknown,
    }


def remembered_totals(city: City, now: datetime) -> list[Totals]:
    """Return totals of the city and its districts from memory, as the database does."""
    table = city.table
    data_states, _ = table.statuses(micros(now))
    codes = {district.adcode: code for code, district in enumerate(city.districts)}
    outside = len(codes)
    of_lot = np.array(
        [codes.get(lot.facts.district or "", outside) for lot in table.lots], dtype=np.intp
    )
    sums = _Sums(table, data_states)
    rows = [sums.total(np.ones(len(of_lot), dtype=np.bool_), of_city=True, as_of=city.as_of)]
    for code, district in enumerate(city.districts):
        total = sums.total(of_lot == code)
        named = {"name_zh": district.name_zh, "name_en": district.name_en}
        rows.append(replace(total, adcode=district.adcode, **named))
    if outside in of_lot:
        rows.append(sums.total(of_lot == outside))
    return rows


class _Sums:
    """What is summed up, a column for each figure."""

    def __init__(self, table: Table, data_states: NDArray[np.int8]) -> None:
        self._data_states = data_states
        self._capacity = table.capacities
        heard = data_states != UNKNOWN
        self._free = np.where(heard, table.free_spaces.clip(0), 0)
        self._unknown = np.where(heard, table.unknown_spaces, 0)
        self._known = np.where(heard, table.capacities - table.unknown_spaces, 0)

    def total(self, lots: Mask, *, of_city: bool = False, as_of: datetime | None = None) -> Totals:
        """Sum up some lots."""
        free, known = int(self._free[lots].sum()), int(self._known[lots].sum())
        states = np.bincount(self._data_states[lots], minlength=len(DATA_STATES)).tolist()
        return Totals(
            is_city=of_city,
            adcode=None,
            name_zh=None,
            name_en=None,
            lots=int(lots.sum()),
            capacity=int(self._capacity[lots].sum()),
            free_spaces=free,
            unknown_spaces=int(self._unknown[lots].sum()),
            occupancy=1 - free / known if known else None,
            lots_live=states[LIVE],
            lots_stale=states[STALE],
            lots_unknown=states[UNKNOWN],
            as_of=as_of,
        )


async def missing(db: Db, lot_id: str) -> ApiError:
    """Return the error of a lot that no answer has: it is retired, or there never was one."""
    return LotRetiredError() if await retired_lots(db, [lot_id]) else LotUnknownError()


def note(metrics: Metrics, rows: Sequence[Totals], now: datetime) -> None:
    """Set the metrics of the city."""
    total = next(row for row in rows if row.is_city)
    metrics.note_city(
        lots={
            "live": total.lots_live,
            "stale": total.lots_stale,
            "unknown": total.lots_unknown,
        },
        capacity=total.capacity,
        free_spaces=total.free_spaces,
        unknown_spaces=total.unknown_spaces,
        occupancy=total.occupancy,
        age_s=(now - total.as_of).total_seconds() if total.as_of else None,
    )
