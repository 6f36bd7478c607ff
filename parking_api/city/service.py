"""Rows of totals, from the database or from memory, into bodies of answers."""

from collections.abc import Iterable

from parking_api.models import Json, Row, name

OCCUPANCY_DIGITS = 4


def city(rows: Iterable[Row], *, degraded: bool) -> Json:
    """Make the answer of `/v1/city`.

    Args:
        rows: Columns as `city_totals.sql` has them: one of the city, one a district.
        degraded: Whether they come from memory.
    """
    whole = next(row for row in rows if row["is_city"])
    districts = [
        {
            "adcode": row["adcode"],
            "name": name(row) if row["adcode"] else None,
            **_totals(row),
        }
        for row in rows
        if not row["is_city"]
    ]
    return {
        **_totals(whole),
        "districts": districts,
        "as_of": whole["as_of"],
        "degraded": degraded,
    }


def _totals(row: Row) -> Json:
    occupancy = row["occupancy"]
    return {
        "lots": row["lots"],
        "capacity": row["capacity"],
        "free_spaces": row["free_spaces"],
        "unknown_spaces": row["unknown_spaces"],
        "occupancy": None if occupancy is None else round(occupancy, OCCUPANCY_DIGITS),
        "live": row["lots_live"],
        "stale": row["lots_stale"],
        "estimated": 0,
        "unknown": row["lots_unknown"],
    }
