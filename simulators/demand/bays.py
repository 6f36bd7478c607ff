"""Drivers: who arrives at each lot, which bay they take and when they leave. No I/O.

Arrivals are a Poisson process whose rate follows the hour, the weekday and the land use; stays are
log-normal by land use. A driver who finds a lot full is lost. Time and randomness come in.
"""

import hashlib
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulators.demand.land_use import (
    BIN_S,
    BINS,
    LAND_USES,
    WEEK_S,
    FloatArray,
    arrival_shape,
    demand_shape,
    expected_occupancy,
    normal_survival,
    survival,
    week_bin,
)
from simulators.registry import Lot

IntArray = NDArray[np.int64]

# Peak occupancies that the lots are given. Above 1 a lot fills up and turns drivers away.
PEAK_MIN = 0.4
PEAK_MAX = 1.05
# The longest step taken at once: short against the shortest stays and the rise of the rates.
MAX_STEP_S = 30.0
# Standard normal quantiles by the logarithm of their survival, for stays already under way.
_Z = np.linspace(-8.0, 8.0, 3_201)
_MINUS_LOG_SURVIVAL: FloatArray = -np.log(normal_survival(_Z))


def peak_occupancy(lot_id: str, seed: int) -> float:
    """Return the peak of a lot's expected occupancy, PEAK_MIN to PEAK_MAX, by its id and seed."""
    digest = hashlib.blake2b(f"{seed}:{lot_id}".encode(), digest_size=8).digest()
    share = int.from_bytes(digest, "big") / 2**64
    return PEAK_MIN + (PEAK_MAX - PEAK_MIN) * share


class Demand:
    """The bays of all lots and the drivers in them, advanced in steps.

    Bays of all lots stand in one array, lot by lot: bay n of lot i is element
    `offsets[i] + n - 1`. The same lots, start, seed and steps give the same history.

    Attributes:
        offsets: first bay of each lot, and the number of all bays last; shape (lots + 1,).
        occupied: whether each bay is taken; shape (bays,).
        now_s: the simulated time in Unix seconds.
        lost: drivers turned away by full lots so far.
    """

    def __init__(
        self, lots: Sequence[Lot], start_s: float, *, seed: int, utc_offset_s: int
    ) -> None:
        """Fill the lots as they are, on average, at the hour of `start_s` (Unix seconds).

        Raises:
            ValueError: there is no lot, or one without a bay.
        """
        if not lots or min(lot.capacity for lot in lots) < 1:
            raise ValueError("demand needs lots of at least one bay")
        self.now_s = start_s
        self._utc_offset_s = utc_offset_s
        self._rng = np.random.default_rng(seed)
        self._capacity = np.array([lot.capacity for lot in lots], dtype=np.int64)
        self.offsets: IntArray = np.concatenate(([0], np.cumsum(self._capacity)))
        self.lost = 0
        self._set_rates(lots, seed)
        self._fill()

    def _set_rates(self, lots: Sequence[Lot], seed: int) -> None:
        """Scale each lot's arrivals so that its expected occupancy peaks as it should."""
        uses = list(LAND_USES.values())
        index = {name: i for i, name in enumerate(LAND_USES)}
        self._use = np.array([index[demand_shape(lot.land_use, lot.lot_type)] for lot in lots])
        self._shape = np.array([arrival_shape(use) for use in uses])
        self._survival = np.array([survival(use) for use in uses])
        self._log_median_s = np.array([use.log_median_s for use in uses])
        self._sigma = np.array([use.sigma for use in uses])
        pairs = zip(self._shape, self._survival, strict=True)
        self._present = np.array([expected_occupancy(shape, lasting) for shape, lasting in pairs])
        peaks = np.array([peak_occupancy(lot.lot_id, seed) for lot in lots])
        self._scale = peaks * self._capacity / self._present.max(axis=1)[self._use]

    def expected_present(self) -> FloatArray:
        """Return how many drivers each lot would hold now if none were full; shape (lots,)."""
        now = week_bin(self.now_s, self._utc_offset_s)
        present: FloatArray = self._scale * self._present[self._use, now]
        return present

    def expected_arrivals(self) -> FloatArray:
        """Return how many drivers come to each lot in a second now, on average; shape (lots,)."""
        now = week_bin(self.now_s, self._utc_offset_s)
        rate: FloatArray = self._shape[self._use, now] * self._scale
        return rate

    def _fill(self) -> None:
        """Draw the occupancy at the start, and when those who are there will leave."""
        self.occupied = np.zeros(self.offsets[-1], dtype=np.bool_)
        self._leaves_s = np.full(self.offsets[-1], np.inf)
        present = np.minimum(self._rng.poisson(self.expected_present()), self._capacity)
        for lot in range(len(present)):
            first, last = self.offsets[lot], self.offsets[lot + 1]
            bays = self._rng.permutation(last - first)[: present[lot]] + first
            self.occupied[bays] = True
            self._leaves_s[bays] = self.now_s + self._draw_remaining(self._use[lot], len(bays))

    def _draw_remaining(self, use: int, size: int) -> FloatArray:
        """Draw the rest of `size` stays that have begun: their age first, then what follows it."""
        now = week_bin(self.now_s, self._utc_offset_s)
        # Those of age u came at the rate of that hour, and are still there.
        weights = np.roll(self._shape[use][::-1], now + 1) * self._survival[use]
        ages = self._rng.choice(BINS, size=size, p=weights / weights.sum())
        age_s = (ages + self._rng.random(size)) * BIN_S
        z_age = (np.log(np.maximum(age_s, 1.0)) - self._log_median_s[use]) / self._sigma[use]
        beyond = np.interp(z_age, _Z, _MINUS_LOG_SURVIVAL) + self._rng.exponential(size=size)
        z_stay = np.interp(beyond, _MINUS_LOG_SURVIVAL, _Z)
        stay_s = np.exp(self._log_median_s[use] + self._sigma[use] * z_stay)
        remaining_s: FloatArray = np.maximum(np.minimum(stay_s, WEEK_S) - age_s, 1.0)
        return remaining_s

    def advance(self, duration_s: float) -> IntArray:
        """Let `duration_s` seconds pass, in equal steps of at most MAX_STEP_S.

        Returns:
            The bays whose state at the end differs from that at the beginning, ascending.
        """
        before = self.occupied.copy()
        steps = max(1, math.ceil(duration_s / MAX_STEP_S))
        for _ in range(steps):
            self._step(duration_s / steps)
        return np.flatnonzero(before != self.occupied)

    def _step(self, step_s: float) -> None:
        rate = self.expected_arrivals()
        self.now_s += step_s
        # A scan of all bays: 0.2 ms for 470,000, less than keeping a heap of them would take.
        gone = np.flatnonzero(self._leaves_s <= self.now_s)
        self.occupied[gone] = False
        self._leaves_s[gone] = np.inf
        arrivals = self._rng.poisson(rate * step_s)
        for lot in np.flatnonzero(arrivals):
            self._admit(int(lot), int(arrivals[lot]))

    def _admit(self, lot: int, arrivals: int) -> None:
        """Let drivers park in random free bays; those who find no free bay are lost."""
        first = self.offsets[lot]
        free = np.flatnonzero(~self.occupied[first : self.offsets[lot + 1]])
        admitted = min(arrivals, len(free))
        self.lost += arrivals - admitted
        if admitted == 0:
            return
        if admitted == 1:
            bays = free[self._rng.integers(len(free), size=1)] + first
        else:
            bays = self._rng.choice(free, admitted, replace=False) + first
        use = self._use[lot]
        stay_s = self._rng.lognormal(self._log_median_s[use], self._sigma[use], admitted)
        self.occupied[bays] = True
        self._leaves_s[bays] = self.now_s + np.minimum(stay_s, WEEK_S)
