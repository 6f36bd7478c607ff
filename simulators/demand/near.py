"""Which lots lie near each other. No I/O."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from simulators.city.geodesy import between
from simulators.registry import Lot

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# How far from a full lot a driver looks on, in a straight line, and at how many lots.
NEAR_M: Final = 500.0
NEAR_LOTS: Final = 6
# Housing estates and industrial parks let in those who live or work there, and their guests.
PRIVATE: Final = ("housing", "industrial")
_M_PER_DEGREE: Final = 111_320.0


def near_lots(lots: Sequence[Lot]) -> list[list[int]]:
    """Return for each lot the lots within NEAR_M, nearest first, at most NEAR_LOTS.

    Lots of PRIVATE uses are near to those of the same use alone.

    Distances are those on a plane, which is exact enough at 500 m. Lots without a place
    are near to none.
    """
    longitude, latitude = _places(lots)
    placed = np.flatnonzero(np.isfinite(longitude) & np.isfinite(latitude))
    found: list[list[int]] = [[] for _ in lots]
    if not len(placed):
        return found
    shrink = np.cos(np.radians(latitude[placed].mean()))
    metres = np.column_stack((longitude[placed] * shrink, latitude[placed])) * _M_PER_DEGREE
    points = list(map(shapely.Point, metres.tolist()))
    one, other = shapely.STRtree(points).query(points, predicate="dwithin", distance=NEAR_M)
    apart_m = np.hypot(*(metres[one] - metres[other]).T)
    for pair in np.lexsort((other, apart_m)).tolist():
        beside = found[int(placed[one[pair]])]
        lot, candidate = int(placed[one[pair]]), int(placed[other[pair]])
        if lot != candidate and len(beside) < NEAR_LOTS and _takes(lots[candidate], lots[lot]):
            beside.append(candidate)
    return found


def _takes(lot: Lot, other: Lot) -> bool:
    """Return whether a lot takes drivers who wanted to park in another."""
    return lot.land_use not in PRIVATE or lot.land_use == other.land_use


def metres_from(longitude: float, latitude: float, lots: Sequence[Lot]) -> FloatArray:
    """Return how far each lot is from a point, in metres; NaN for lots without a place."""
    apart_m: FloatArray = np.hypot(*between(longitude, latitude, *_places(lots)))
    return apart_m


def _places(lots: Sequence[Lot]) -> tuple[FloatArray, FloatArray]:
    """Return longitudes and latitudes; NaN where they are not known."""
    longitude = np.array([lot.longitude for lot in lots], dtype=np.float64)
    return longitude, np.array([lot.latitude for lot in lots], dtype=np.float64)
