"""Distances on the WGS 84 spheroid: exact ones, and a plane that bounds them cheaply.

Exact distances are Karney's geodesics (C. F. F. Karney, "Algorithms for geodesics", J. Geodesy 87,
2013) as pyproj computes them: good to 15 nm. PostGIS computes them likewise and rounds to 10 nm; so
do these, and are at most one such step away.

The plane says which few points are worth an exact distance. It measures by the radii of curvature
halfway between two parallels (the mid-latitude formula, e.g. W. Torge, "Geodesy", 6.1) and says how
far it may be off, which a test holds to pyproj between 80 S and 80 N.
"""

from math import cos, radians, sin, sqrt, tan
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

Floats = NDArray[np.float64]

PLANE_REACH_M: Final = 50_000.0
# Beyond this latitude, in degrees, a plane of degrees serves no more.
PLANE_LATITUDE: Final = 80.0
# What PostGIS rounds to: 10 nm.
_STEPS_PER_M: Final = 1e8
# No degree of latitude is shorter.
SHORTEST_DEGREE_M: Final = 110_500.0
# What the curvature of the ground adds within `PLANE_REACH_M`, as a part of a distance.
_CURVATURE: Final = 1e-4
_SEMI_MAJOR_M: Final = 6_378_137.0
_ECCENTRICITY_2: Final = 0.0066943799901413165


class _Spheroid(Geod):
    def distances_m(self, lon: float, lat: float, lons: Floats, lats: Floats) -> Floats:
        """See the function; `lons` and `lats` are used up."""
        size = len(lons)
        here = np.empty(size), np.empty(size)
        here[0].fill(lon)
        here[1].fill(lat)
        # What `inv` does once it has looked at what it was given, which takes as long as ten
        # distances. The last argument but one array gets the distances.
        self._inv(*here, lons, lats, return_back_azimuth=False)
        return lons


WGS_84: Final = _Spheroid(ellps="WGS84")


def distances_m(lon: float, lat: float, lons: Floats, lats: Floats) -> Floats:
    """Return the geodesic distance of each point from one place, in metres.

    Args:
        lon: Of the place, degrees in WGS 84.
        lat: Likewise.
        lons: Of the points, shape (n,).
        lats: Likewise.
    """
    found = WGS_84.distances_m(lon, lat, lons.copy(), lats.copy())
    found *= _STEPS_PER_M
    np.rint(found, out=found)
    found /= _STEPS_PER_M
    return found


class Plane:
    """The ground between two parallels, as flat as it is halfway.

    Attributes:
        metres_per_lat: Metres of a degree of latitude.
        metres_per_lon: Metres of a degree of longitude.
        error: Up to `PLANE_REACH_M` between two of its points, the distance on it and the true one
            are at most so far apart, as a part of either.
    """

    def __init__(self, lat: float, half_height: float) -> None:
        """Lay a plane.

        Args:
            lat: Of its middle, degrees.
            half_height: From there to either parallel, degrees.
        """
        sine, cosine = sin(radians(lat)), cos(radians(lat))
        flat = 1 - _ECCENTRICITY_2 * sine * sine
        across = _SEMI_MAJOR_M / sqrt(flat)
        self.metres_per_lat = radians(across * (1 - _ECCENTRICITY_2) / flat)
        self.metres_per_lon = radians(across * cosine)
        # A parallel is shorter, and a meridian flatter, towards the poles.
        steepest = tan(radians(min(abs(lat) + half_height, 89.0))) + 1.5 * _ECCENTRICITY_2
        self.error = 1.1 * (_CURVATURE + radians(half_height) * steepest)


def squared(east_m: Floats, north_m: Floats) -> Floats:
    """Return squared distances on a plane, in square metres; the arguments are used up."""
    east_m *= east_m
    north_m *= north_m
    east_m += north_m
    return east_m
