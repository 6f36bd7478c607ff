"""Every bay of every lot: number, level, class and position, as NumPy columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.city.geodesy import Floats, offset
from simulators.city.land_use import LAND_USES, ON_STREET, SURFACE, UNDERGROUND
from simulators.city.lots import Lot

BAY_WIDTH_M: Final = 2.5
BAY_DEPTH_M: Final = 5.3
AISLE_M: Final = 6.0
KERB_BAY_M: Final = 6.0
KERB_DEPTH_M: Final = 2.5
"""Bay and aisle after JGJ 100-2015 (small cars, 90 degrees); a kerb bay is 6 m by 2.5 m."""
ASPECT: Final = 1.5
"""A lot's footprint is about this many times as long as it is deep."""
CLASSES: Final = ("standard", "accessible", "ev", "large")
ACCESSIBLE_SHARE: Final = 0.02
"""GB 50763-2012 asks for 1 to 2 %, and one at least in all but the smallest lots."""

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Bays:
    """The bays of all lots, sorted by lot and number; every column has shape (bays,).

    Attributes:
        lot: Index into the city's lots.
        number: 1 .. capacity.
        level: 0 for street level, -1 for the first basement, 1 for the first floor up.
        space_class: Index into CLASSES.
        longitude: WGS 84 degrees, 7 decimals; the bay's centre.
        latitude: WGS 84 degrees, 7 decimals.
    """

    lot: Integers
    number: Integers
    level: Integers
    space_class: Integers
    longitude: Floats
    latitude: Floats


def lay_out_bays(lots: Sequence[Lot]) -> Bays:
    """Lay out the bays of all lots.

    Off the street they stand in pairs of rows with an aisle between, the levels over one
    another; on the street in one line along the kerb. Both are centred on the lot's point.
    """
    capacity = np.array([lot.capacity for lot in lots], dtype=np.int64)
    lot = np.repeat(np.arange(len(lots)), capacity)
    number = np.arange(len(lot)) - np.repeat(np.cumsum(capacity) - capacity, capacity) + 1
    per_level = np.array([-(-one.capacity // one.levels) for one in lots], dtype=np.int64)
    storey, index = np.divmod(number - 1, per_level[lot])
    down = np.array([one.lot_type == UNDERGROUND for one in lots])[lot]
    along_m, across_m = _positions(lots, per_level, lot, index)
    longitude, latitude = _on_the_ground(lots, lot, along_m, across_m)
    return Bays(
        lot=lot,
        number=number,
        level=np.where(down, -storey - 1, storey),
        space_class=_classes(lots, lot, number),
        longitude=longitude,
        latitude=latitude,
    )


def _positions(
    lots: Sequence[Lot], per_level: Integers, lot: Integers, index: Integers
) -> tuple[Floats, Floats]:
    """Metres along and across the rows from the lot's point, for each bay."""
    kerb = np.array([one.lot_type == ON_STREET for one in lots])
    columns, rows = _grid(kerb, per_level)
    row, column = np.divmod(index, columns[lot])
    pitch_m = np.where(kerb, KERB_BAY_M, BAY_WIDTH_M)[lot]
    along_m = (column - (columns[lot] - 1) / 2) * pitch_m
    depth_m = _row_m(rows - 1)
    across_m = _row_m(row) - depth_m[lot] / 2
    return along_m, across_m


def _grid(kerb: Flags, per_level: Integers) -> tuple[Integers, Integers]:
    """Bays of a row, and rows of a level, of each lot."""
    module_m = 2 * BAY_DEPTH_M + AISLE_M
    columns = np.ceil(np.sqrt(per_level * ASPECT * module_m / 2 / BAY_WIDTH_M)).astype(np.int64)
    columns = np.where(kerb, per_level, columns)
    return columns, -(-per_level // columns)


def footprint_m(kerb: Flags, per_level: Integers) -> tuple[Floats, Floats]:
    """Length and depth of the ground that the bays of a level cover, metres, for each lot.

    Args:
        kerb: Whether the lot lies along a kerb.
        per_level: Bays of its fullest level.
    """
    columns, rows = _grid(kerb, per_level)
    pitch_m = np.where(kerb, KERB_BAY_M, BAY_WIDTH_M)
    length_m: Floats = np.multiply(columns, pitch_m, dtype=np.float64)
    depth_m: Floats = np.where(kerb, KERB_DEPTH_M, _row_m(rows - 1) + BAY_DEPTH_M)
    return length_m, depth_m


def _row_m(row: Integers) -> Floats:
    """Distance of a row's centre from that of the first: two rows face an aisle."""
    pair, second = np.divmod(row, 2)
    metres: Floats = pair * (2 * BAY_DEPTH_M + AISLE_M) + second * (BAY_DEPTH_M + AISLE_M)
    return metres


def _on_the_ground(
    lots: Sequence[Lot], lot: Integers, along_m: Floats, across_m: Floats
) -> tuple[Floats, Floats]:
    bearing = np.array([one.bearing_rad for one in lots])
    cosine, sine = np.cos(bearing)[lot], np.sin(bearing)[lot]
    longitude = np.array([one.longitude for one in lots])[lot]
    latitude = np.array([one.latitude for one in lots])[lot]
    east_m = along_m * cosine - across_m * sine
    north_m = along_m * sine + across_m * cosine
    return offset(longitude, latitude, east_m, north_m)


def _classes(lots: Sequence[Lot], lot: Integers, number: Integers) -> Integers:
    """Accessible bays come first, nearest to the entrance, then chargers; large ones are last."""
    capacity = np.array([one.capacity for one in lots])
    accessible = np.where(capacity >= 20, np.ceil(capacity * ACCESSIBLE_SHARE), 0)  # noqa: PLR2004
    ev = np.round(capacity * np.array([LAND_USES[one.land_use].ev_share for one in lots]))
    large = np.floor(capacity * np.array([_large_share(one) for one in lots]))
    classes = np.select(
        [
            number <= accessible[lot],
            number <= (accessible + ev)[lot],
            number > (capacity - large)[lot],
        ],
        [1, 2, 3],
        0,
    )
    return classes.astype(np.int64)


def _large_share(lot: Lot) -> float:
    if lot.lot_type != SURFACE:
        return 0.0
    return 0.08 if lot.land_use in {"scenic", "industrial", "station"} else 0.03
