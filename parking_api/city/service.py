"""The city's totals in answers, from the database or from memory."""

from collections.abc import Sequence

from parking_api.city.queries import Totals
from parking_api.models import Json

OCCUPANCY_DIGITS = 4


def city(rows: Sequence[Totals], *, degraded: bool) -> Json:
    """Make the answer of `/v1/city`.

    Args:
        rows: One of the city, one a district.
        degraded: Whether they come from memory.
    """
    whole = next(row for row in rows if row.is_city)
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
        **_totals(whole),
        "districts": districts,
        "as_of": whole.as_of,
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
