"""How many bays each lot has: a heavy-tailed distribution that adds up to the city's bays."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.city.apportion import round_to_total
from simulators.city.geodesy import Floats
from simulators.city.land_use import (
    LAND_USES,
    MULTI_STOREY,
    OFF_STREET,
    ON_STREET,
    SURFACE,
    UNDERGROUND,
)

BAYS_PER_LOT: Final = 282
"""Qingdao in 2025: 470,000 bays in 1,670 commercial lots, 281.4 a lot; rounded up."""
ON_STREET_MEDIAN: Final = 32.0
ON_STREET_SIGMA: Final = 0.5
OFF_STREET_SIGMA: Final = 1.12
"""Spread of the logarithm: without bounds the mean is 1.9 times the median."""
FEWEST: Final = {ON_STREET: 10, SURFACE: 12, UNDERGROUND: 40, MULTI_STOREY: 60}
"""Fewest bays of a lot, by its type."""
MOST_ON_A_LEVEL: Final = {ON_STREET: 80, SURFACE: 1100, UNDERGROUND: 800, MULTI_STOREY: 400}
"""Most bays of a level, by the lot's type: what its footprint holds, at most some 23,000 m2 of
open ground, 17,000 m2 below ground and 9,000 m2 of a building. Assumptions of ours.
"""
TYPE_SIZE: Final = {SURFACE: 0.55, UNDERGROUND: 1.3, MULTI_STOREY: 1.5}

Integers = NDArray[np.int64]

# Rounds in which the lots of each district are scaled towards its share.
_ROUNDS: Final = 6


def draw_types(land_uses: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Draw a lot type for each lot from the shares of its land use.

    Args:
        land_uses: As in the import format; `street` gives an on-street lot.
        rng: The only source of chance.
    """
    picks = rng.random(len(land_uses))
    return [
        ON_STREET
        if use == ON_STREET.removeprefix("on_")
        else OFF_STREET[int(np.searchsorted(np.cumsum(LAND_USES[use].kinds)[:-1], pick, "right"))]
        for use, pick in zip(land_uses, picks, strict=True)
    ]


def draw_capacities(
    total: int,
    lots: Sequence[tuple[str, str, float]],
    districts: Integers,
    shares: Floats,
    rng: np.random.Generator,
) -> list[int]:
    """Draw capacities that add up to `total`.

    On-street lots come first; the others share the rest in proportion to log-normal weights,
    between the fewest bays of their type and the largest number of their land use.

    Args:
        total: Bays of all these lots.
        lots: Type, land use and importance (0..1, see `Wish`) of each lot.
        districts: Index of each lot's district.
        shares: What each district wants of all bays, relative. They come as near to it as the
            bounds of their lots let them.
        rng: The only source of chance.

    Raises:
        ValueError: If `total` is more than the lots can hold, or less than their fewest.
    """
    low = np.array([FEWEST[kind] for kind, _, _ in lots], dtype=np.float64)
    high = np.array([LAND_USES[use].largest * importance for _, use, importance in lots])
    on_street = np.array([kind == ON_STREET for kind, _, _ in lots])
    size = [
        LAND_USES[use].size * TYPE_SIZE.get(kind, 1.0) * importance**0.5
        for kind, use, importance in lots
    ]
    normal = rng.standard_normal(len(lots))
    weights = np.array(size) * np.exp(OFF_STREET_SIGMA * normal)
    kerb = np.round(ON_STREET_MEDIAN * np.exp(ON_STREET_SIGMA * normal))
    capacities = np.clip(kerb, low, high).astype(np.int64)
    off = ~on_street
    rest = total - int(capacities[on_street].sum())
    wanted = shares * np.bincount(districts, minlength=len(shares)).astype(bool)
    wanted *= total / wanted.sum()
    for _ in range(_ROUNDS):
        capacities[off] = _fit(rest, weights[off], low[off], high[off])
        has = np.bincount(districts, capacities, len(shares))
        weights *= (wanted / np.maximum(has, 1.0))[districts]
    return [int(number) for number in capacities]


def _fit(total: int, weights: Floats, low: Floats, high: Floats) -> Integers:
    """Scale weights to whole numbers from `low` to below `high` that add up to `total`."""
    if not low.sum() <= total < (high - 1).sum():
        raise ValueError(f"{len(weights)} lots cannot hold {total} bays")
    least, most = 0.0, 40.0 * float((high / weights).max())
    for _ in range(80):  # bisection to the last bit of the factor
        factor = (least + most) / 2
        if _saturate(factor * weights, low, high).sum() < total:
            least = factor
        else:
            most = factor
    return round_to_total(_saturate(most * weights, low, high), total)


def _saturate(wanted: Floats, low: Floats, high: Floats) -> Floats:
    """Approach `high` smoothly, so that the largest lots are not all of one size."""
    sizes: Floats = np.maximum(low, -high * np.expm1(-wanted / high))
    return sizes


def settle_type(lot_type: str, land_use: str, capacity: int) -> str:
    """The type that suits the capacity: nobody paves 800 bays beside a mall."""
    if lot_type == MULTI_STOREY and capacity < 100:  # noqa: PLR2004
        return SURFACE
    roomy = land_use in {"scenic", "station", "industrial"}
    if lot_type == SURFACE and capacity > (MOST_ON_A_LEVEL[SURFACE] if roomy else 400):
        return UNDERGROUND
    return lot_type


def levels_of(lot_type: str, capacity: int) -> int:
    """Number of levels, at least 1: a basement holds about 250 bays, a deck about 110.

    Four basements or ten decks at most, unless their footprint cannot hold the bays.
    """
    needed = math.ceil(capacity / MOST_ON_A_LEVEL[lot_type])
    if lot_type == UNDERGROUND:
        return max(min(4, math.ceil(capacity / 250)), needed)
    if lot_type == MULTI_STOREY:
        return max(min(10, max(2, math.ceil(capacity / 110))), needed)
    return 1
