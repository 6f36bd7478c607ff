"""Rules of the ground that every city keeps, checked on the bays that were laid out."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from simulators.city.bays import BAY_DEPTH_M, BAY_WIDTH_M, KERB_BAY_M, KERB_DEPTH_M
from simulators.city.capacities import BAYS_PER_LOT, MOST_ON_A_LEVEL
from simulators.city.geodesy import Floats, metres_per_degree
from simulators.city.ground import BAYS_PER_1000
from simulators.city.land_use import ON_STREET
from simulators.city.operators import FULL_SIZE

if TYPE_CHECKING:
    from simulators.city.build import City

WHOLE_LOTS: Final = 1_000
"""A city of fewer lots is a part of one: its bays are not held against the residents."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Footprints:
    """The ground of each level of each lot; every column has shape (levels,).

    Attributes:
        lot: Index into the city's lots.
        level: As of its bays.
        bays: How many bays it has.
        ground: Rectangle along the lot's rows around all its bays, WGS 84 degrees.
        area_m2: Of the rectangle.
    """

    lot: Integers
    level: Integers
    bays: Integers
    ground: NDArray[np.object_]
    area_m2: Floats


def faults(city: "City") -> list[str]:
    """Return a sentence for each lot or district that breaks a rule of the ground.

    The rules, on whole footprints: each level lies on its district's land; two lots never
    overlap on a level; lots on the street do not count at gates; a level has no more bays than
    its footprint holds; a whole city's bays for 1,000 residents are within `BAYS_PER_1000`.

    It looks at the bays where they are, and does not know how the lots were sited.
    """
    levels = footprints(city)
    return [
        *_outside(city, levels),
        *_overlaps(city, levels),
        *_gates(city),
        *_crowded(city, levels),
        *_residents(city),
    ]


def footprints(city: "City") -> Footprints:
    """Return the ground of each level, from the middles of its bays and the lot's bearing."""
    bays = city.bays
    order = np.lexsort((bays.level, bays.lot))
    lot, level = bays.lot[order], bays.level[order]
    begins = np.flatnonzero(np.diff(lot, prepend=-1) | np.diff(level, prepend=level[0]))
    own = lot[begins]
    scale = np.column_stack(metres_per_degree(np.array([one.latitude for one in city.lots])))
    origin = np.array([(one.longitude, one.latitude) for one in city.lots])
    east_north_m = (np.column_stack([bays.longitude, bays.latitude])[order] - origin[lot]) * scale[
        lot
    ]
    bearing = np.array([one.bearing_rad for one in city.lots])
    along = np.column_stack([np.cos(bearing), np.sin(bearing)])
    across = np.column_stack([-np.sin(bearing), np.cos(bearing)])
    # Both axes' least and most, from the bays' middles to their edges; shape (levels, 2).
    rows_m = np.stack([(east_north_m * axis[lot]).sum(axis=1) for axis in (along, across)], axis=1)
    half_m = _bay_m(city)[own] / 2
    least_m = np.minimum.reduceat(rows_m, begins) - half_m
    most_m = np.maximum.reduceat(rows_m, begins) + half_m
    corners_m = [
        x[:, None] * along[own] + y[:, None] * across[own]
        for x, y in (
            (least_m[:, 0], least_m[:, 1]),
            (most_m[:, 0], least_m[:, 1]),
            (most_m[:, 0], most_m[:, 1]),
            (least_m[:, 0], most_m[:, 1]),
        )
    ]
    corners = np.stack([origin[own] + corner_m / scale[own] for corner_m in corners_m], axis=1)
    return Footprints(
        lot=own,
        level=level[begins],
        bays=np.diff(begins, append=len(lot)),
        ground=np.asarray(shapely.polygons(corners), dtype=object),
        area_m2=np.prod(most_m - least_m, axis=1),
    )


def _bay_m(city: "City") -> Floats:
    """Length along the row, and depth, of the bays of each lot; shape (lots, 2)."""
    kerb = np.array([lot.lot_type == ON_STREET for lot in city.lots])
    return np.where(kerb[:, None], (KERB_BAY_M, KERB_DEPTH_M), (BAY_WIDTH_M, BAY_DEPTH_M))


def _outside(city: "City", levels: Footprints) -> Iterator[str]:
    of_district = np.array([lot.district for lot in city.lots])[levels.lot]
    for district in city.districts:
        own = np.flatnonzero(of_district == district.adcode)
        outside = own[~shapely.covers(district.land, levels.ground[own])]
        for lot in np.unique(levels.lot[outside]).tolist():
            yield f"{city.lots[lot].lot_id}: not all of it is on the land of {district.name_en}"


def _overlaps(city: "City", levels: Footprints) -> Iterator[str]:
    one, other = shapely.STRtree(levels.ground).query(levels.ground, "intersects")
    clash = (levels.lot[one] < levels.lot[other]) & (levels.level[one] == levels.level[other])
    pairs = zip(one[clash].tolist(), other[clash].tolist(), strict=True)
    for a, b in pairs:
        lots = [city.lots[int(levels.lot[each])].lot_id for each in (a, b)]
        yield f"{lots[0]} and {lots[1]} overlap on level {levels.level[a]}"


def _gates(city: "City") -> Iterator[str]:
    for lot in city.lots:
        if lot.lot_type == ON_STREET and lot.reporting == "count":
            yield f"{lot.lot_id}: lies along a kerb and counts at gates"


def _crowded(city: "City", levels: Footprints) -> Iterator[str]:
    """Levels with more bays than their ground, or any ground of such a lot, has room for."""
    most = np.array([MOST_ON_A_LEVEL[lot.lot_type] for lot in city.lots])[levels.lot]
    room = levels.area_m2 / np.prod(_bay_m(city), axis=1)[levels.lot] + 0.1
    for i in np.flatnonzero(levels.bays > np.minimum(most, room)).tolist():
        lot = city.lots[int(levels.lot[i])].lot_id
        holds = int(min(most[i], room[i]))
        yield f"{lot}: {levels.bays[i]} bays on level {levels.level[i]}, which holds {holds}"


def _residents(city: "City") -> Iterator[str]:
    """Districts with too few or too many bays for their residents, in a whole city."""
    if len(city.lots) < WHOLE_LOTS:
        return
    bays: Counter[str] = Counter()
    for lot in city.lots:
        bays[lot.district] += lot.capacity
    # A city of another size has its bays in the same proportions.
    size = FULL_SIZE * BAYS_PER_LOT / sum(bays.values())
    for district in city.districts:
        least, _, most = BAYS_PER_1000[district.adcode]
        per_1000 = bays[district.adcode] * size / district.people * 1_000
        if not least <= per_1000 <= most:
            yield f"{district.name_en}: {per_1000:.0f} bays for 1,000 people, not {least} to {most}"
