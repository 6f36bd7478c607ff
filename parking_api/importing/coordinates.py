"""From the coordinates of Chinese maps to WGS 84.

Maps published in China show places in GCJ-02, which shifts WGS 84 by 50 to 700 m; Baidu's BD-09
shifts that once more. Neither is officially published. The formulas and constants here are the
ones in general use: GCJ-02, on the Krasovsky 1940 ellipsoid, as in the article "Restrictions on
geographic data in China" of the English Wikipedia and in github.com/googollee/eviltransform (MIT),
BD-09 as in github.com/wandergis/coordtransform (MIT). They have no inverse in closed form, so the
inverse is found by iteration.
"""

from collections.abc import Callable
from math import atan2, cos, hypot, pi, radians, sin, sqrt
from typing import Final, Literal

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
