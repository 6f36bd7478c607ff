"""Places and polygons: read from GeoJSON, written as PostGIS takes them."""

import struct
from typing import Any, Final

import orjson
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

_SRID: Final = 4326
# EWKB: little endian, a point with an SRID, two doubles (PostGIS, doc/ZMSgeoms.txt).
_POINT: Final = struct.Struct("<BIIdd")
_POINT_WITH_SRID: Final = 0x2000_0001
# Looking whether rings cross takes up to 0.7 s for so many; no real border has a tenth of them.
MAX_CORNERS: Final = 50_000
# Those of a zone are compared with all others' when it is put in force; real ones have some 20.
MAX_PARTS: Final = 200
_WORLD: Final = shapely.box(-180, -90, 180, 90)


class GeometryError(Exception):
    """A geometry cannot be used; the message says why."""


def point_ewkb(longitude: float, latitude: float) -> bytes:
    """Return a WGS 84 point in degrees as EWKB."""
    return _POINT.pack(1, _POINT_WITH_SRID, _SRID, longitude, latitude)


def multipolygon_ewkb(polygon: MultiPolygon) -> bytes:
    """Return a multipolygon in WGS 84 degrees as EWKB."""
    return shapely.to_wkb(shapely.set_srid(polygon, _SRID), include_srid=True)


def read_multipolygon(geometry: dict[str, Any]) -> MultiPolygon:
    """Read a GeoJSON Polygon or MultiPolygon in WGS 84 degrees; heights are dropped.

    Raises:
        GeometryError: It is of another type, empty, outside the degrees that there are, or not
            valid (a ring that crosses itself, parts that overlap).
    """
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise GeometryError(f"is a {geometry.get('type')}, not a Polygon or MultiPolygon")
    read = shapely.force_2d(_from_geojson(geometry))
    if shapely.get_num_coordinates(read) > MAX_CORNERS:
        raise GeometryError(f"has more than {MAX_CORNERS} corners")
    if shapely.get_num_geometries(read) > MAX_PARTS:
        raise GeometryError(f"has more than {MAX_PARTS} polygons")
    if read.is_empty:
        raise GeometryError("is empty")
    if not covers(_WORLD, *read.bounds[:2]) or not covers(_WORLD, *read.bounds[2:]):
        raise GeometryError("is not in degrees of longitude and latitude")
    if not read.is_valid:
        raise GeometryError(f"is not valid: {shapely.is_valid_reason(read)}")
    return MultiPolygon([part for part in shapely.get_parts(read) if isinstance(part, Polygon)])


def _from_geojson(geometry: dict[str, Any]) -> BaseGeometry:
    try:
        # orjson, which holds the interpreter for a tenth of the time that json does.
        return shapely.from_geojson(orjson.dumps(geometry).decode())
    except (shapely.errors.ShapelyError, ValueError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise GeometryError(f"cannot be read: {reason}") from error


def read_point(geometry: dict[str, Any]) -> tuple[str, str]:
    """Read the longitude and latitude of a GeoJSON Point, as the text of two CSV cells.

    Raises:
        GeometryError: It is no point of two or three coordinates.
    """
    coordinates = geometry.get("coordinates")
    if geometry.get("type") != "Point" or not isinstance(coordinates, list):
        raise GeometryError(f"is a {geometry.get('type')}, not a Point")
    if len(coordinates) not in (2, 3):
        raise GeometryError("has not two coordinates")
    return str(coordinates[0]), str(coordinates[1])


def covers(polygon: BaseGeometry, longitude: float, latitude: float) -> bool:
    """Tell whether a point is in the polygon or on its edge, as PostGIS's ST_Covers does."""
    return bool(shapely.intersects_xy(polygon, longitude, latitude))
