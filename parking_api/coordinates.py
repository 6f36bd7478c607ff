"""Between the coordinates of Chinese maps and WGS 84.

Maps published in China show places in GCJ-02, which shifts WGS 84 by 50 to 700 m; Baidu's BD-09
shifts that once more. Neither is officially published. The formulas and constants here are the
ones in general use: GCJ-02, on the Krasovsky 1940 ellipsoid, as in the article "Restrictions on
geographic data in China" of the English Wikipedia and in github.com/googollee/eviltransform (MIT),
BD-09 as in github.com/wandergis/coordtransform (MIT). They have no inverse in closed form, so the
inverse is found by iteration.
"""

from collections.abc import Callable, Sequence
from math import atan2, cos, hypot, pi, radians, sin, sqrt
from typing import Any, Final, Literal

Crs = Literal["wgs84", "gcj02", "bd09"]
CRS_NAMES: Final[tuple[Crs, ...]] = ("wgs84", "gcj02", "bd09")
# Longitude, latitude in degrees.
Position = tuple[float, float]

# Krasovsky 1940: semi-major axis in metres, square of the first eccentricity.
_SEMI_MAJOR_M: Final = 6_378_245.0
_ECCENTRICITY_2: Final = 0.006_693_421_622_965_943_23
# The box outside which GCJ-02 is WGS 84: west, south, east, north in degrees.
_CHINA: Final = (72.004, 0.8293, 137.8347, 55.8271)
# Where the shift's polynomial is centred, degrees.
_CENTRE: Final = (105.0, 35.0)
_BD09_TURN: Final = pi * 3000.0 / 180.0
_BD09_SHIFT: Final = (0.0065, 0.006)
# 1e-10 degrees are 0.01 mm; each round is a hundred times closer or better.
_CLOSE_ENOUGH_DEGREES: Final = 1e-10
_MOST_ROUNDS: Final = 30
# Of answers: a centimetre.
_DIGITS: Final = 7
# On each edge of a box, whose edges are curves in another system.
_EDGE_POINTS: Final = 17
# Between two of those an edge strays by less.
_STRAY_DEGREES: Final = 0.001
_HALF_TURN: Final = 180.0
_POLE: Final = 90.0


def to_wgs84(longitude: float, latitude: float, crs: Crs) -> Position:
    """Convert a place to WGS 84.

    Args:
        longitude: Degrees in `crs`.
        latitude: Degrees in `crs`.
        crs: What the coordinates are in.

    Returns:
        Longitude and latitude in degrees; converted back they are within 1 cm of what was given.
    """
    place = (longitude, latitude)
    if crs == "bd09":
        place = _invert(gcj02_to_bd09, place)
    return place if crs == "wgs84" else _invert(wgs84_to_gcj02, place)


def from_wgs84(longitude: float, latitude: float, crs: Crs) -> Position:
    """Convert a place from WGS 84, rounded to a centimetre; the reverse of `to_wgs84`."""
    if crs == "wgs84":
        return longitude, latitude
    place = wgs84_to_gcj02(longitude, latitude)
    if crs == "bd09":
        place = gcj02_to_bd09(*place)
    return round(place[0], _DIGITS), round(place[1], _DIGITS)


def asked_place(longitude: float, latitude: float, crs: Crs) -> Position:
    """Convert a place that is asked for to WGS 84, and keep it on the Earth.

    Baidu shifts places at its edges beyond it.
    """
    if crs == "wgs84":
        return longitude, latitude
    longitude, latitude = to_wgs84(longitude, latitude, crs)
    turned = (longitude + _HALF_TURN) % (2 * _HALF_TURN) - _HALF_TURN
    return turned, _within(latitude, _POLE)


def asked_box(
    west: float, south: float, east: float, north: float, crs: Crs
) -> tuple[float, float, float, float]:
    """Return the least box in WGS 84 that holds a box in another system; both in degrees.

    It has all that lies in the other, and may have what lies just outside.
    """
    if crs == "wgs84":
        return west, south, east, north
    steps = [step / (_EDGE_POINTS - 1) for step in range(_EDGE_POINTS)]
    across = [west + (east - west) * step for step in steps]
    along = [south + (north - south) * step for step in steps]
    edges = [(x, y) for x in across for y in (south, north)]
    edges += [(x, y) for x in (west, east) for y in along]
    xs, ys = zip(*(to_wgs84(x, y, crs) for x, y in edges), strict=True)
    return (
        _within(min(xs) - _STRAY_DEGREES, _HALF_TURN),
        _within(min(ys) - _STRAY_DEGREES, _POLE),
        _within(max(xs) + _STRAY_DEGREES, _HALF_TURN),
        _within(max(ys) + _STRAY_DEGREES, _POLE),
    )


def _within(degrees: float, most: float) -> float:
    return min(max(degrees, -most), most)


def placed(answer: dict[str, Any], crs: Crs) -> dict[str, Any]:
    """Return a part of an answer whose GeoJSON geometries, wherever they stand, are in `crs`.

    Args:
        answer: Its geometries in WGS 84; it stays as it is.
        crs: What they are to be in.
    """
    if crs == "wgs84":
        return answer
    return {
        key: _positions(each, crs) if key == "coordinates" else _placed(each, crs)
        for key, each in answer.items()
    }


def _placed(value: object, crs: Crs) -> object:
    if isinstance(value, list):
        return [_placed(each, crs) for each in value]
    return placed(value, crs) if isinstance(value, dict) else value


def _positions(given: Sequence[Any], crs: Crs) -> list[Any]:
    """Convert a position, or a list of them, or of lists of them."""
    if isinstance(given[0], int | float):
        return list(from_wgs84(given[0], given[1], crs))
    return [_positions(each, crs) for each in given]


def wgs84_to_gcj02(longitude: float, latitude: float) -> Position:
    """Shift a place as GCJ-02 does; outside the box around China nothing is shifted. Degrees."""
    west, south, east, north = _CHINA
    if not (west <= longitude <= east and south <= latitude <= north):
        return longitude, latitude
    east_m, north_m = _shift_m(longitude - _CENTRE[0], latitude - _CENTRE[1])
    phi = radians(latitude)
    curvature = 1 - _ECCENTRICITY_2 * sin(phi) ** 2
    prime_vertical_m = _SEMI_MAJOR_M / sqrt(curvature)
    meridian_m = _SEMI_MAJOR_M * (1 - _ECCENTRICITY_2) / (curvature * sqrt(curvature))
    return (
        longitude + east_m * 180.0 / (prime_vertical_m * cos(phi) * pi),
        latitude + north_m * 180.0 / (meridian_m * pi),
    )


def _shift_m(x: float, y: float) -> Position:
    """The shift to the east and to the north in metres, `x` and `y` degrees from the centre."""
    common = 20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    waves = 20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)
    waves += 150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)
    east += (common + waves) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    waves = 20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)
    waves += 160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y / 30.0 * pi)
    return east, north + (common + waves) * 2.0 / 3.0


def gcj02_to_bd09(longitude: float, latitude: float) -> Position:
    """Shift a place in GCJ-02 as Baidu does. Degrees."""
    radius = hypot(longitude, latitude) + 0.00002 * sin(latitude * _BD09_TURN)
    angle = atan2(latitude, longitude) + 0.000003 * cos(longitude * _BD09_TURN)
    return radius * cos(angle) + _BD09_SHIFT[0], radius * sin(angle) + _BD09_SHIFT[1]


def _invert(forward: Callable[[float, float], Position], target: Position) -> Position:
    """The place that `forward` takes to `target`: corrected by what it misses until it is there."""
    longitude, latitude = target
    for _ in range(_MOST_ROUNDS):
        reached = forward(longitude, latitude)
        miss = target[0] - reached[0], target[1] - reached[1]
        longitude, latitude = longitude + miss[0], latitude + miss[1]
        if max(abs(miss[0]), abs(miss[1])) < _CLOSE_ENOUGH_DEGREES:
            break
    return longitude, latitude
