"""Writes what maps draw; the thread beside the loop does it, once for each registration."""

from collections.abc import Sequence
from datetime import time
from typing import Final

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from parking_api.city.queries import District
from parking_api.city.table import Table
from parking_api.coordinates import Crs, from_wgs84
from parking_api.maps.outlines import simplified
from parking_api.models import Json, name
from sql.kinds import SPACE_CLASSES

# Of a lot's place: some 10 cm.
_DIGITS: Final = 6
# Of the corners of outlines: a metre.
_OUTLINE_DIGITS: Final = 5


def lot_columns(table: Table, crs: Crs) -> bytes:
    """Write every lot as it is registered: `LotColumns` as JSON.

    Args:
        table: The lots.
        crs: The system that their places are written in.
    """
    lots = [lot.facts for lot in table.lots]
    places = [from_wgs84(lot.longitude, lot.latitude, crs) for lot in lots]
    columns: Json = {
        "lot_id": [lot.lot_id for lot in lots],
        "name": {"zh": [lot.name_zh for lot in lots], "en": [lot.name_en for lot in lots]},
        "lot_type": [lot.lot_type for lot in lots],
        "district": [lot.district for lot in lots],
        "zone_id": [lot.zone_id for lot in lots],
        "lon": [round(longitude, _DIGITS) for longitude, _ in places],
        "lat": [round(latitude, _DIGITS) for _, latitude in places],
        "capacity": [lot.registered_capacity for lot in lots],
        "reporting": [lot.reporting for lot in lots],
        "bays": _bays(table),
        "height_limit_m": [_height(lot.height_limit_m) for lot in lots],
        "opens_at": [_hour(lot.opens_at) for lot in lots],
        "closes_at": [_hour(lot.closes_at) for lot in lots],
    }
    # Writing holds the interpreter: a column at a time, so that the loop gets its turn between.
    parts = [b'"%b":%b' % (name.encode(), orjson.dumps(each)) for name, each in columns.items()]
    return b"{%b}" % b",".join(parts)


def _bays(table: Table) -> dict[str, Sequence[int | None]]:
    """Count the bays of each class that each lot has; None for lots whose bays are not known."""
    bays, lots = table.bays, len(table.lots)
    of_lot = np.repeat(np.arange(lots), np.diff(bays.starts))
    known = table.has_bays.tolist()
    columns: dict[str, Sequence[int | None]] = {}
    for code, space_class in enumerate(SPACE_CLASSES):
        counts = np.bincount(of_lot[bays.classes == code], minlength=lots).tolist()
        columns[space_class] = [
            count if one else None for count, one in zip(counts, known, strict=True)
        ]
    return columns


def _height(limit_m: float | None) -> float | None:
    # Stored in single precision: two digits take its noise away.
    return None if limit_m is None else round(limit_m, 2)


def _hour(at: time | None) -> str | None:
    return None if at is None else f"{at:%H:%M}"


def district_outlines(districts: Sequence[District], crs: Crs) -> bytes:
    """Write the districts with simplified outlines: `DistrictCollection` as JSON.

    Args:
        districts: By their code.
        crs: The system that the outlines are written in.
    """
    outlines = simplified([shapely.from_wkb(each.outline) for each in districts])
    features = [
        {
            "type": "Feature",
            "id": district.adcode,
            "geometry": orjson.Fragment(shapely.to_geojson(_placed(outline, crs))),
            "properties": {"adcode": district.adcode, "name": name(district)},
        }
        for district, outline in zip(districts, outlines, strict=True)
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features})


def _placed(outline: BaseGeometry, crs: Crs) -> BaseGeometry:
    """Return an outline in a system of coordinates, rounded."""

    def positions(given: NDArray[np.float64]) -> NDArray[np.float64]:
        there = [from_wgs84(longitude, latitude, crs) for longitude, latitude in given.tolist()]
        return np.round(there, _OUTLINE_DIGITS)

    placed: BaseGeometry = shapely.transform(outline, positions)
    return placed
