"""Rows about zones into bodies of answers."""

from datetime import datetime
from typing import Any

import orjson

from parking_api.models import Json, Row, name
from parking_api.zones.errors import described_overlap


def feature(row: Row) -> Json:
    """Make a GeoJSON feature out of a row of `zone_list.sql`."""
    return _feature(row, facts(row))


def draft_feature(row: Row) -> Json:
    """Make a GeoJSON feature out of a row of `zone_draft_one.sql`."""
    return _feature(row, draft_facts(row))


def _feature(row: Row, properties: Json) -> Json:
    return {
        "type": "Feature",
        "id": row["zone_id"],
        # Written by PostGIS; parsing it only to write it again would take the longest of all.
        "geometry": orjson.Fragment(row["geojson"]),
        "properties": properties,
    }


def collection(rows: list[Row], as_of: datetime) -> Json:
    """Make a FeatureCollection out of rows of `zone_list.sql`."""
    return {
        "type": "FeatureCollection",
        "features": [feature(row) for row in rows],
        "as_of": as_of,
    }


def facts(row: Row) -> Json:
    """Say what a zone is, but for its ground."""
    return {
        "zone_id": row["zone_id"],
        "name": name(row),
        "zone_class": row["zone_class"],
        "valid_from": row["valid_from"],
        "valid_to": row["valid_to"],
    }


def draft_facts(row: Row) -> Json:
    """Say what a draft is, but for its ground."""
    done = ("replaces", "state", "drafted_by", "drafted_at", "published_by", "published_at")
    return facts(row) | {column: row[column] for column in done}


def overlap(row: Row) -> Json:
    """Make an overlap out of a row of `zone_draft_overlaps.sql`."""
    return {
        "zone_id": row["other_id"],
        "area_m2": round(row["area_m2"], 1),
        "since": row["since"],
        "message": described_overlap(row),
    }


def audited(row: Row | None) -> Any:
    """Say what the audit keeps of a zone: of its ground the area and a digest, not the corners."""
    if row is None:
        return None
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in dict(row).items()  # type: ignore[call-overload]
        if key != "geojson"
    }
