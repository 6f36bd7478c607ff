"""Finds the lots, and the free bays, that are nearest to a place.

A question looks at the block of lots around its place. A plane says which of them may be among the
nearest; those few are measured exactly. Most questions want any lot with a free space: which lots
of a block those are is kept until it may have changed.
"""

from datetime import datetime
from typing import Final, NamedTuple

import msgspec
import numpy as np

from parking_api.city.distances import (
    PLANE_LATITUDE,
    SHORTEST_DEGREE_M,
    Floats,
    Plane,
    distances_m,
    squared,
)
from parking_api.city.grid import Block, Chosen, Indices
from parking_api.city.table import FreeBays, Mask, Table
from sql.kinds import LOT_TYPES, SPACE_CLASSES, LotType, SpaceClass

INFINITE: Final = float("inf")
# Bounds by the plane are a millimetre wider than it says, whatever a float rounds.
_ROUNDING_M: Final = 0.001
# Degrees: nearer to it, longitudes may have either sign.
_NEAR_DATE_LINE: Final = 178.0


class Near(msgspec.Struct, frozen=True, gc=False):
    """Where a question looks.

    Attributes:
        lon: Degrees in WGS 84.
        lat: Likewise.
        radius_m: Inclusive.
        most: How many to find.
    """

    lon: float
    lat: float
    radius_m: float
    most: int


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """What a lot must have.

    Attributes:
        min_free: The fewest free spaces; 0 for full lots and those of unknown state too, but never
            for lots that are closed for a time.
        space_class: Bays of this class must be free: `min_free`, and one at least.
        height_m: Of the vehicle.
        through: The time through which the lot must be open: start and end.
        lot_type: Of the lot.
    """

    min_free: int = 1
    space_class: SpaceClass | None = None
    height_m: float | None = None
    through: tuple[datetime, datetime] | None = None
    lot_type: LotType | None = None


# Most questions want any lot with a free space.
_USUAL: Final = Wanted()


class Found(NamedTuple):
    """What was found, nearest first; ties by `lot_id`, then by number.

    Attributes:
        indices: Of lots or bays in their table, shape (n,).
        distances_m: Geodesic, shape (n,).
    """

    indices: Indices
    distances_m: Floats


def nearest_lots(table: Table, near: Near, wanted: Wanted, now: int) -> Found:
    """Find the lots nearest to a place.

    Args:
        table: The lots.
        near: Where.
        wanted: What they must have.
        now: Microseconds since 1970.
    """
    lon, lat, radius_m, most = _usual_lon(near.lon), near.lat, near.radius_m, near.most
    for block in table.grid.blocks(lon, lat):
        lots, reach_m = _suiting(table, block, wanted, now), block.reach_m
        if block.plane is None:
            chosen = _in_band(lots.lats, lat, radius_m).nonzero()[0]
        else:
            if len(lots.indices) < most and radius_m > reach_m:
                continue
            squares = block.squares(lots, lon, lat)
            bound_m = _bound_m(squares, most, min(reach_m, radius_m), block.plane)
            chosen = (squares <= bound_m * bound_m).nonzero()[0]
            if len(chosen) < most and radius_m > reach_m:
                continue
        found_m = distances_m(lon, lat, lots.lons[chosen], lots.lats[chosen])
        found = _first(lots.indices[chosen], found_m, most)
        if _is_all(found, near, reach_m):
            return _within(found, radius_m)
    raise AssertionError("the last block has every lot")


def nearest_bays(table: Table, near: Near, wanted: Wanted, now: int) -> Found:
    """Find the free bays nearest to a place; arguments as for `nearest_lots`.

    Only bays of open lots that sense their bays and whose state is live or stale.
    """
    lon, lat, radius_m = _usual_lon(near.lon), near.lat, near.radius_m
    for block in table.grid.blocks(lon, lat):
        lots, reach_m = _suiting(table, block, wanted, now, with_bays=True), block.reach_m
        if block.plane is None:
            chosen = _in_band(lots.lats, lat, radius_m + table.widest_m).nonzero()[0]
            indices = lots.indices[chosen]
            far_m = distances_m(lon, lat, lots.lons[chosen], lots.lats[chosen])
        else:
            # A bay may lie nearer than its lot.
            reach_m -= table.widest_m
            indices = lots.indices
            far_m = np.sqrt(block.squares(lots, lon, lat))
            far_m /= 1 + block.plane.error
        least_m = far_m - table.spreads_m[indices]
        order = least_m.argsort(kind="stable")
        nearest_first = indices[order], least_m[order]
        found = _bays_of(table, near, wanted, nearest_first, max(min(reach_m, radius_m), 0.0))
        if _is_all(found, near, reach_m):
            return _within(found, radius_m)
    raise AssertionError("the last block has every lot")


def _bays_of(
    table: Table, near: Near, wanted: Wanted, lots: tuple[Indices, Floats], limit_m: float
) -> Found:
    """Find the nearest free bays of some lots.

    Args:
        table: The lots.
        near: Where.
        wanted: What their lots must have.
        lots: Lots that suit, and how near a bay of each can lie at least, by the latter.
        limit_m: Bays beyond it need not be found.
    """
    indices, least_m = lots
    plane = None
    if abs(near.lat) < PLANE_LATITUDE:
        plane = Plane(near.lat, limit_m / SHORTEST_DEGREE_M)
    # The nearest lots that have enough free bays together; then all that may have a nearer one.
    free = table.free_of(wanted.space_class)[indices].cumsum()
    end = int(free.searchsorted(near.most)) + 1
    while True:
        bays = _free_bays(table, indices[:end], wanted.space_class)
        squares = _squares(near, bays, plane)
        bound_m = _bound_m(squares, near.most, limit_m, plane)
        enough = int(least_m.searchsorted(bound_m, "right"))
        if enough <= end:
            break
        end = enough
    chosen = (squares <= bound_m * bound_m).nonzero()[0]
    # In the order of lots and numbers.
    chosen = chosen[bays.indices[chosen].argsort()]
    found_m = distances_m(near.lon, near.lat, bays.lons[chosen], bays.lats[chosen])
    return _first(bays.indices[chosen], found_m, near.most)


def _usual_lon(lon: float) -> float:
    return lon - 360 if lon >= 180 else lon  # noqa: PLR2004


def _in_band(lats: Floats, lat: float, radius_m: float) -> Mask:
    """Return which points lie no farther north or south than a radius reaches."""
    fits: Mask = np.abs(lats - lat) <= radius_m / SHORTEST_DEGREE_M
    return fits


def _first(indices: Indices, found_m: Floats, most: int) -> Found:
    """Return the nearest of some that have been measured; ties keep their order."""
    order = found_m.argsort(kind="stable")[:most]
    return Found(indices[order], found_m[order])


def _is_all(found: Found, near: Near, reach_m: float) -> bool:
    """Return whether nothing beyond a block's reach can be among the nearest."""
    if near.radius_m <= reach_m:
        return True
    return len(found.indices) == near.most and bool(found.distances_m[-1] <= reach_m)


def _within(found: Found, radius_m: float) -> Found:
    if not len(found.indices) or found.distances_m[-1] <= radius_m:
        return found
    end = int(found.distances_m.searchsorted(radius_m, "right"))
    return Found(found.indices[:end], found.distances_m[:end])


def _bound_m(squares: Floats, most: int, limit_m: float, plane: Plane | None) -> float:
    """Return a distance on the plane within which the nearest lie, or all within a limit.

    Args:
        squares: Of each point's distance on the plane.
        most: How many are asked for.
        limit_m: Points beyond it are not asked for; in metres.
        plane: None where the distances are exact.
    """
    wider = 1 + plane.error if plane else 1.0
    if len(squares) > most:
        ranked = squares.copy()
        ranked.partition(most - 1)
        limit_m = min(limit_m, float(ranked[most - 1]) ** 0.5 * wider)
    return limit_m * wider + _ROUNDING_M


def _suiting(
    table: Table, block: Block, wanted: Wanted, now: int, *, with_bays: bool = False
) -> Chosen:
    """Return the lots of a block that have what is wanted; with `with_bays`, that sense bays."""
    is_usual = wanted == _USUAL
    kept = block.usual.get(with_bays) if is_usual else None
    table.look_at_clock(now)
    if kept and kept.stamp == table.stamp and kept.since <= now <= kept.until:
        return kept
    suits = _suits(table, block.indices, wanted, now)
    if with_bays:
        suits &= table.has_bays[block.indices]
    indices = block.indices[suits]
    made = Chosen(
        stamp=table.stamp,
        since=now,
        until=int(table.stale_until[indices].min(initial=2**62)),
        indices=indices,
        lons=table.lons[indices],
        lats=table.lats[indices],
        xs=block.xs[suits],
        ys=block.ys[suits],
    )
    if is_usual and len(block.indices):
        block.usual[with_bays] = made
        table.note_looked_up(now)
    return made


def _suits(table: Table, indices: Indices, wanted: Wanted, now: int) -> Mask:
    """Return which of some lots have what is wanted."""
    known = table.stale_until[indices] >= now
    suits: Mask
    if wanted.min_free == 0:
        suits = (table.open[indices] | ~known) & ~table.shut[indices]
    else:
        suits = table.open[indices] & known & (table.free_spaces[indices] >= wanted.min_free)
    if wanted.space_class is not None:
        of_class = table.free_of(wanted.space_class)[indices]
        suits &= known & (of_class >= max(wanted.min_free, 1))
    if wanted.height_m is not None:
        suits &= table.heights[indices] >= np.float32(wanted.height_m)
    if wanted.through is not None:
        suits &= table.are_open_through(*wanted.through)[indices]
    if wanted.lot_type is not None:
        suits &= table.lot_types[indices] == LOT_TYPES.index(wanted.lot_type)
    return suits


def _free_bays(table: Table, indices: Indices, space_class: SpaceClass | None) -> FreeBays:
    """Return the free bays of some lots, of a class or of all."""
    found = [table.free_bays(table.lots[index]) for index in indices.tolist()]
    bays = found[0] if len(found) == 1 else FreeBays.together(found)
    if space_class is None:
        return bays
    of_class = table.bays.classes[bays.indices] == SPACE_CLASSES.index(space_class)
    return FreeBays(bays.indices[of_class], bays.lons[of_class], bays.lats[of_class])


def _squares(near: Near, bays: FreeBays, plane: Plane | None) -> Floats:
    """Return the squared distance of bays from a place, nearly."""
    if plane is None:
        return np.square(distances_m(near.lon, near.lat, bays.lons, bays.lats))
    east = bays.lons - near.lon
    if abs(near.lon) > _NEAR_DATE_LINE:
        east -= 360 * np.rint(east / 360)
    east *= plane.metres_per_lon
    north = bays.lats - near.lat
    north *= plane.metres_per_lat
    return squared(east, north)
