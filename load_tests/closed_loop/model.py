"""A city of lots whose demand answers their prices: Poisson arrivals, blocking, neighbours.

Many policies are run side by side on the same arrivals: each arrival carries a mark, and a policy
sees those whose mark lies under its demand (thinning), so that policies differ by their prices
alone. Time goes in steps of five minutes. An arrival that finds its lot full tries the
neighbouring lots, one a step, nearest first, then is lost. Stays last 0.5, 1.5 or 4 hours;
Erlang's formula does not mind which distribution.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP_H: Final = 1 / 12
STAYS_STEPS: Final = (6, 18, 48)
STAY_SHARES: Final = (0.4, 0.4, 0.2)
MEAN_STAY_H: Final = sum(
    share * steps * STEP_H for share, steps in zip(STAY_SHARES, STAYS_STEPS, strict=True)
)
NEIGHBOURS: Final = 3
# Share of the demand that a price moves which is moved to, or from, the neighbouring lots.
DIVERTED: Final = 0.5
MOST_DEMAND: Final = 2.5
LEAST_DEMAND: Final = 0.02
FLOOR_SHARE: Final = 0.5
CEILING_SHARE: Final = 3


@dataclass(frozen=True)
class City:
    """Lots and what they are asked at their base price; arrays are indexed by lot.

    Attributes:
        capacity: spaces.
        offered: arrivals an hour x mean stay, at the base prices.
        base_minor: prices at the start, fen an hour.
        neighbours: nearest first, (lots, NEIGHBOURS).
        diversion: (from, to) demand moved for each unit of demand that leaves, rows add up to
            DIVERTED.
    """

    capacity: Ints
    offered: Floats
    base_minor: Ints
    neighbours: Ints
    diversion: Floats


@dataclass(frozen=True)
class Period:
    """What was measured between two reviews; arrays (policies, lots) if nothing else is said.

    Attributes:
        occupancy: mean, 0..1.
        full_share: of time without a free space.
        arrivals: at the lot of first choice.
        blocked: of them, how many found it full.
        lost: (policies,) arrivals that found the neighbouring lots full too.
        hours_in: (policies, lots, 2) share of hours whose mean occupancy lay in the size-aware
            band, and in the plain one of 60 to 80 %.
    """

    occupancy: Floats
    full_share: Floats
    arrivals: Ints
    blocked: Ints
    lost: Ints
    hours_in: Floats


def make_city(lots: int, rng: np.random.Generator) -> City:
    """Draw a city: sizes log-normal around 60 spaces (10..500), demand from idle to overrun."""
    capacity = np.clip(np.exp(rng.normal(np.log(60), 0.9, lots)), 10, 500).astype(np.int64)
    load = np.clip(rng.normal(0.72, 0.25, lots), 0.15, 1.4)
    base = rng.choice(np.array([200, 400, 600]), lots)
    places = rng.uniform(size=(lots, 2))
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    neighbours = np.argsort(apart, axis=1)[:, :NEIGHBOURS]
    diversion = np.zeros((lots, lots))
    shares = capacity[neighbours] / capacity[neighbours].sum(axis=1, keepdims=True)
    np.put_along_axis(diversion, neighbours, DIVERTED * shares, axis=1)
    return City(capacity, load * capacity, base, neighbours, diversion)


def demand(city: City, prices: Ints, elasticity: Floats) -> Floats:
    """Demand as a multiple of that at base prices, (policies, lots), LEAST_DEMAND to MOST_DEMAND.

    Each lot's own demand goes with its price to the power of the elasticity; half of what a price
    sends away, or draws, goes to or comes from the neighbouring lots, by their size.
    """
    own = (prices / city.base_minor) ** elasticity[:, None]
    moved = (1 - own) * city.offered @ city.diversion
    return np.clip(own + moved / city.offered, LEAST_DEMAND, MOST_DEMAND)


class Arrivals:
    """The arrivals of one period at MOST_DEMAND times the base, with their marks."""

    def __init__(self, city: City, steps: int, rng: np.random.Generator) -> None:
        per_step = city.offered / MEAN_STAY_H * STEP_H * MOST_DEMAND
        self._shape = (steps, len(city.capacity))
        self._drawn = []
        for share in STAY_SHARES:
            numbers = rng.poisson(per_step * share * steps)
            lots = np.repeat(np.arange(len(numbers)), numbers)
            places = rng.integers(0, steps, len(lots)) * len(numbers) + lots
            self._drawn.append((lots, places, rng.random(len(lots), dtype=np.float32)))

    def under(self, multiple: Floats) -> list[NDArray[np.int16]]:
        """Arrivals for each stay where demand is `multiple` (lots,) of the base: (steps, lots)."""
        share = (multiple / MOST_DEMAND).astype(np.float32)
        size = self._shape[0] * self._shape[1]
        return [
            np.bincount(places[marks < share[lots]], minlength=size)
            .reshape(self._shape)
            .astype(np.int16)
            for lots, places, marks in self._drawn
        ]
