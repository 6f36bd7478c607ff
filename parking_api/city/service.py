"""Makes the answers of the city's totals, from the database or from memory."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from parking_api.city.queries import Totals
from parking_api.lots.memory import City
from parking_api.lots.queries import CityLot, LotNow
from parking_api.metrics import Metrics
from parking_api.models import Json

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
    lots = list(city.lots(now))
    districts: dict[str | None, list[tuple[CityLot, LotNow]]] = defaultdict(list)
    for registered, lot in lots:
        districts[lot.district].append((registered, lot))
    in_order = sorted(districts, key=lambda adcode: (adcode is None, adcode))
    total = _total([lot for _, lot in lots], is_city=True, as_of=city.as_of())
    return [total, *(_district_total(districts[adcode]) for adcode in in_order)]


def _district_total(lots: Sequence[tuple[CityLot, LotNow]]) -> Totals:
    one, _ = lots[0]
    return replace(
        _total([lot for _, lot in lots], is_city=False, as_of=None),
        adcode=one.district,
        name_zh=one.district_zh,
        name_en=one.district_en,
    )


def _total(lots: Sequence[LotNow], *, is_city: bool, as_of: datetime | None) -> Totals:
    heard = [lot for lot in lots if lot.data_state != "unknown"]
    free_spaces = sum(lot.free_spaces or 0 for lot in heard)
    known = sum(lot.capacity - lot.unknown_spaces for lot in heard)
    states = [lot.data_state for lot in lots]
    return Totals(
        is_city=is_city,
        adcode=None,
        name_zh=None,
        name_en=None,
        lots=len(lots),
        capacity=sum(lot.capacity for lot in lots),
        free_spaces=free_spaces,
        unknown_spaces=sum(lot.unknown_spaces for lot in heard),
        occupancy=1 - free_spaces / known if known else None,
        lots_live=states.count("live"),
        lots_stale=states.count("stale"),
        lots_unknown=states.count("unknown"),
        as_of=as_of,
    )


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
