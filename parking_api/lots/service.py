"""Rows about lots, from the database or from memory, into bodies of answers."""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from parking_api.lots.models import Stay
from parking_api.lots.opening import closes_within
from parking_api.models import AGE_DIGITS, DISTANCE_DIGITS, Json, Row, local, name, point
from sql.kinds import SPACE_CLASSES

VERSION_DIGITS = 20


def nearest_lots(
    rows: Iterable[Row], as_of: datetime | None, stay: Stay, *, of_class: bool, degraded: bool
) -> Json:
    """Make the answer of `/v1/nearest`.

    Args:
        rows: Columns as `nearest_lots.sql` has them, nearest first.
        as_of: The newest commit that they reflect.
        stay: What was asked for.
        of_class: Whether a space class was asked for.
        degraded: Whether they come from memory.
    """
    lots = [_nearest_lot(row) | closing(row, stay) for row in rows]
    if of_class:
        for lot, row in zip(lots, rows, strict=True):
            lot["free_of_class"] = row["free_of_class"]
    return {"lots": lots, "stay": told_stay(stay), "as_of": as_of, "degraded": degraded}


def told_stay(stay: Stay) -> Json:
    """Say once what the quotes of an answer are for."""
    return {"from": stay.start, "duration_min": stay.duration_min, "vehicle": stay.vehicle}


def closing(row: Row, stay: Stay) -> Json:
    """Say when a lot closes, if that is within the stay: one that is closed does not close."""
    at = closes_within(row["opens_at"], row["closes_at"], row["timezone"], stay.start, stay.end)
    return {"closes_at": at} if at and at > stay.start else {}


def _nearest_lot(row: Row) -> Json:
    return {
        "lot_id": row["lot_id"],
        "name": name(row),
        "lot_type": row["lot_type"],
        "location": point(row),
        "distance_m": round(row["distance_m"], DISTANCE_DIGITS),
        **_counts(row),
        "observed_at": local(row["observed_at"], row["timezone"]),
        "age_s": _rounded(row["age_s"], AGE_DIGITS),
        "zone_id": row["zone_id"],
        "quote": None,
    }


def lot(row: Row, stay: Stay) -> Json:
    """Make a lot out of a row with the columns of `lot_one.sql`; its price comes later."""
    return {
        "lot_id": row["lot_id"],
        "name": name(row),
        "operator_id": row["operator_id"],
        "district": row["district"],
        "zone_id": row["zone_id"],
        "lot_type": row["lot_type"],
        "land_use": row["land_use"],
        "reporting": row["reporting"],
        "report_interval_s": row["report_interval_s"],
        "levels": row["levels"],
        # Stored in single precision: two digits take its noise away.
        "height_limit_m": _rounded(row["height_limit_m"], 2),
        "opening_hours": _opening_hours(row["opens_at"], row["closes_at"]),
        "timezone": row["timezone"],
        "location": point(row),
        **_state(row),
        "quote": None,
        **closing(row, stay),
    }


def _state(row: Row) -> Json:
    return {
        **_counts(row),
        "free_by_class": _free_by_class(row),
        "observed_at": local(row["observed_at"], row["timezone"]),
        "age_s": _rounded(row["age_s"], AGE_DIGITS),
        "committed_at": local(row["committed_at"], row["timezone"]),
        "version": None if row["version"] is None else f"{row['version']:0{VERSION_DIGITS}d}",
    }


def _counts(row: Row) -> Json:
    return {
        column: row[column]
        for column in ("capacity", "free_spaces", "unknown_spaces", "status", "data_state")
    }


def _free_by_class(row: Row) -> Json | None:
    if row["free_spaces"] is None or row["free_standard"] is None:
        return None
    return {space_class: row[f"free_{space_class}"] for space_class in SPACE_CLASSES}


def _opening_hours(opens_at: time | None, closes_at: time | None) -> Json | None:
    if opens_at is None or closes_at is None:
        return None
    return {"opens_at": f"{opens_at:%H:%M}", "closes_at": f"{closes_at:%H:%M}"}


def feature(lot: Json) -> Json:
    """Make a GeoJSON feature out of a lot."""
    properties = {key: value for key, value in lot.items() if key != "location"}
    return {
        "type": "Feature",
        "id": lot["lot_id"],
        "geometry": lot["location"],
        "properties": properties,
    }


def occupancy_step(row: Row, timezone: str) -> Json:
    """Make a step of history out of a row of `occupancy_steps.sql`."""
    return {
        "at": local(row["starts_at"], timezone),
        "capacity": row["capacity"],
        "free_spaces": _rounded(row["free_spaces"], 2),
        "free_min": row["free_min"],
        "free_max": row["free_max"],
        "free_last": row["free_last"],
        "occupancy": _rounded(row["occupancy"], 4),
        "coverage": _rounded(row["coverage"], 4),
    }


def _rounded(value: Any, digits: int) -> float | None:
    return None if value is None else round(value, digits)
