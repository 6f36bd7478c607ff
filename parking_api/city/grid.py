"""A grid of points: which ones lie near a place.

The grid has a few levels of cells, each level coarser than the one before. A question looks at the
3 x 3 cells around its place, which hold every point within the block's reach; where those are too
few it goes on to the next level, and in the end to all points.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import cos, floor, radians
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parking_api.city.distances import PLANE_LATITUDE, Floats, Plane, squared

Indices = NDArray[np.intp]

# Degrees of latitude: reaches of some 1, 4 and 27 km.
_CELL_HEIGHTS: Final = (0.01, 0.04, 0.24)
# Cells lie on the ellipsoid, not on a plane: the last percent is not counted on.
_SAFE: Final = 0.99


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some of a block's points, which suit a question.

    Attributes:
        stamp: The table's when they were chosen.
        since: From when on they suit, microseconds since 1970.
        until: Until when, while the table has the same stamp.
        indices: Which points, shape (n,).
        lons: Degrees in WGS 84.
        lats: Likewise.
        xs: Metres east of the middle of the block's plane.
        ys: Metres north of it.
    """

    stamp: int
    since: int
    until: int
    indices: Indices
    lons: Floats
    lats: Floats
    xs: Floats
    ys: Floats


@dataclass(eq=False, slots=True)
class Block:
    """The points in a place's neighbourhood.

    Attributes:
        indices: Which points, shape (n,).
        xs: Metres east of the middle of the block's plane.
        ys: Metres north of it.
        reach_m: Every point that is at most so far from the place is in the block.
        middle: Of the plane: longitude and latitude.
        plane: None where the block is too large for one.
        usual: Points that suit most questions, kept for the next one: see `search`.
    """

    indices: Indices
    xs: Floats
    ys: Floats
    reach_m: float
    middle: tuple[float, float]
    plane: Plane | None
    usual: dict[bool, Chosen] = field(default_factory=dict)

    def squares(self, points: Chosen, lon: float, lat: float) -> Floats:
        """Return the squared distance of points from a place on the plane, in square metres.

        Args:
            points: Of this block.
            lon: Of the place, degrees, from -180 to below 180.
            lat: Likewise.
        """
        if self.plane is None:
            raise ValueError("there is no plane")
        east_m = (lon - self.middle[0]) * self.plane.metres_per_lon
        north_m = (lat - self.middle[1]) * self.plane.metres_per_lat
        return squared(points.xs - east_m, points.ys - north_m)


class _Level:
    """The cells of one size.

    A cell has a key that rises along its row, row after row; points are sorted by their cells'
    keys.
    """

    def __init__(self, lons: Floats, lats: Floats, height: float, width: float) -> None:
        self._lons, self._lats = lons, lats
        self._height = height
        # A whole, even number of cells goes round: one begins at -180, beside the last.
        self._columns = max(int(180 / width), 1) * 2
        self._width = 360 / self._columns
        rows = np.floor(lats / height).astype(np.int64)
        columns = np.floor(lons / self._width).astype(np.int64) % self._columns
        keys = rows * self._columns + columns
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        self._blocks: dict[int, Block] = {}

    def block(self, lon: float, lat: float) -> Block:
        """Return the block around a place."""
        row = floor(lat / self._height)
        column = floor(lon / self._width) % self._columns
        key = row * self._columns + column
        found = self._blocks.get(key)
        if found is None:
            found = self._build(row, column)
            # Blocks without points are not kept: somebody may ask for every place on Earth.
            if len(found.indices):
                self._blocks[key] = found
        return found

    def _build(self, row: int, column: int) -> Block:
        near = {(column + step) % self._columns for step in (-1, 0, 1)}
        keys = np.array([r * self._columns + c for r in (row - 1, row, row + 1) for c in near])
        starts = np.searchsorted(self._keys, keys, "left")
        ends = np.searchsorted(self._keys, keys, "right")
        found = [self._order[start:end] for start, end in zip(starts, ends, strict=True)]
        indices = np.sort(np.concatenate(found))
        lon, lat = (column + 0.5) * self._width, (row + 0.5) * self._height
        lon -= 360 * (lon >= 180)  # noqa: PLR2004
        plane = Plane(lat, 1.5 * self._height)
        east = self._lons[indices] - lon
        east -= 360 * np.rint(east / 360)
        return Block(
            indices=indices,
            xs=east * plane.metres_per_lon,
            ys=(self._lats[indices] - lat) * plane.metres_per_lat,
            reach_m=self._reach_m(row),
            middle=(lon, lat),
            plane=plane,
        )

    def _reach_m(self, row: int) -> float:
        edges = ((row - 1) * self._height, (row + 2) * self._height)
        farthest = min(max(map(abs, edges)), 90.0)
        # A degree of latitude is shortest at the equator.
        height_m = Plane(0.0, 0.0).metres_per_lat * self._height
        return _SAFE * min(height_m, Plane(farthest, 0.0).metres_per_lon * self._width)


class Grid:
    """Points by their places.

    Args:
        lons: Degrees in WGS 84, -180..180, shape (n,).
        lats: Likewise, -90..90.
    """

    def __init__(self, lons: Floats, lats: Floats) -> None:
        middle = float(np.clip(np.abs(lats).mean(), 0, PLANE_LATITUDE)) if len(lats) else 0.0
        stretch = 1 / cos(radians(middle))
        self._levels = [_Level(lons, lats, height, height * stretch) for height in _CELL_HEIGHTS]
        everything = np.arange(len(lons), dtype=np.intp)
        self._all = Block(everything, lons, lats, float("inf"), (0.0, 0.0), None)

    def blocks(self, lon: float, lat: float) -> Iterator[Block]:
        """Yield ever larger blocks around a place; the last one is all points.

        The last one alone has no plane.

        Args:
            lon: Degrees, from -180 to below 180.
            lat: Likewise, -90..90.
        """
        if abs(lat) < PLANE_LATITUDE:
            for level in self._levels:
                yield level.block(lon, lat)
        yield self._all
