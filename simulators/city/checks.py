"""What no city may have: bays in the sea, lots over one another, gates on a kerb."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from simulators.city.capacities import BAYS_PER_LOT, MOST_ON_A_LEVEL
from simulators.city.geodesy import metres_per_degree
from simulators.city.ground import BAYS_PER_1000
from simulators.city.land_use import ON_STREET
from simulators.city.operators import FULL_SIZE

if TYPE_CHECKING:
    from simulators.city.build import City

WHOLE_LOTS: Final = 1_000
"""A city of fewer lots is a part of one: its bays are not held against the residents."""
_MARGIN_M: Final = 2.5
"""Half a bay: bays are known by their middles."""


def faults(city: "City") -> list[str]:
    """Return a sentence for each lot or district that breaks a rule of the ground.

    Independent of how lots were sited: it looks at each bay where it is.
    """
    return [*_outside(city), *_overlaps(city), *_gates(city), *_levels(city), *_residents(city)]


def _outside(city: "City") -> Iterator[str]:
    """Bays that lie off their district's land."""
    bays = city.bays
    of_district = np.array([lot.district for lot in city.lots])[bays.lot]
    for district in city.districts:
        own = np.flatnonzero(of_district == district.adcode)
        on_land = shapely.contains_xy(district.land, bays.longitude[own], bays.latitude[own])
        for lot, count in Counter(bays.lot[own[~on_land]].tolist()).items():
            yield f"{city.lots[lot].lot_id}: {count} bays outside {district.name_en}"


def hulls(city: "City") -> NDArray[np.object_]:
    """Return the ground that the bays of each lot's fullest level cover; shape (lots,), metres.

    The smallest polygon around the middles of the bays, half a bay wider; levels of a lot stand
    over one another.
    """
    bays = city.bays
    middle = float(np.mean([lot.latitude for lot in city.lots]))
    scale = np.array(metres_per_degree(middle))
    metres = np.column_stack([bays.longitude, bays.latitude]) * scale
    ends = np.flatnonzero(np.diff(bays.lot)) + 1
    around = shapely.convex_hull([shapely.MultiPoint(own) for own in np.split(metres, ends)])
    grown: NDArray[np.object_] = shapely.buffer(around, _MARGIN_M)
    return grown


def _overlaps(city: "City") -> Iterator[str]:
    """Lots whose bays cover the same ground, on whatever level."""
    around = hulls(city)
    for one, other in zip(*shapely.STRtree(around).query(around, "intersects"), strict=True):
        if one < other:
            yield f"{city.lots[one].lot_id} and {city.lots[other].lot_id} overlap"


def _gates(city: "City") -> Iterator[str]:
    """Lots along a kerb that count at gates."""
    for lot in city.lots:
        if lot.lot_type == ON_STREET and lot.reporting == "count":
            yield f"{lot.lot_id}: lies along a kerb and counts at gates"


def _levels(city: "City") -> Iterator[str]:
    """Levels with more bays than the footprint of such a lot holds."""
    pairs = Counter(zip(city.bays.lot.tolist(), city.bays.level.tolist(), strict=True))
    for (lot, level), count in pairs.items():
        most = MOST_ON_A_LEVEL[city.lots[lot].lot_type]
        if count > most:
            yield f"{city.lots[lot].lot_id}: {count} bays on level {level}, at most {most} fit"


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
