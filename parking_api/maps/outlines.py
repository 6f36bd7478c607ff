"""Simplifies the outlines of districts for maps, so that neighbours still share their borders."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

# What an outline strays by, nearly: it loses corners whose triangle with their neighbours has an
# area of less than this squared (Visvalingam and Whyatt, 1993).
TOLERANCE_M: Final = 20.0
# A degree of latitude on a sphere of the Earth's mean radius.
_DEGREE_M: Final = 111_195.0


def simplified(outlines: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    """Return outlines with fewer corners; a border that two share stays one.

    Where neighbours do not share the corners of a border, each is simplified by itself, and they
    may gape, or overlap, by twice the tolerance.

    Args:
        outlines: Polygons, in degrees.
    """
    if not outlines:
        return []
    _, south, _, north = shapely.total_bounds(outlines)
    metres = _DEGREE_M * np.array([np.cos(np.radians((south + north) / 2)), 1.0])
    flat = shapely.transform(outlines, lambda degrees: degrees * metres)
    fewer = shapely.coverage_simplify(flat, TOLERANCE_M)
    return list(shapely.transform(fewer, lambda corners: corners / metres))
