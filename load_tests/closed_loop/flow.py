"""The lots of many policies filled and emptied, five minutes at a time."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from load_tests.closed_loop.model import NEIGHBOURS, STAYS_STEPS, City, Floats, Ints, Period

Counts = NDArray[np.int16]

TRIES: Final = 2
STEPS_PER_HOUR: Final = 12
# Stays of those that come from a full lot, by turns, in the shares of all stays.
_SPILLED_STAYS: Final = (0, 1, 0, 1, 2)


class Flow:
    """Who stands where, for `policies` policies; it goes on from one period to the next."""

    def __init__(self, city: City, policies: int, bands: Floats) -> None:
        """Start empty; `bands` are lower and upper ends to count hours in, (bands, 2, lots)."""
        self._city, self._bands = city, bands
        self._shape = (policies, len(city.capacity))
        self._free: Counts = np.broadcast_to(city.capacity, self._shape).astype(np.int16)
        self._leaving: Counts = np.zeros((STAYS_STEPS[-1] + 1, *self._shape), np.int16)
        self._tries: list[Counts] = [np.zeros(self._shape, np.int16) for _ in range(TRIES)]
        offset = np.arange(policies)[:, None] * len(city.capacity)
        self._targets = [(offset + city.neighbours[:, at]).ravel() for at in range(NEIGHBOURS)]
        self._full = np.zeros(self._shape, np.int32)
        self._clock = 0

    def run(self, arrivals: list[Counts]) -> Period:
        """One period: arrivals by stay, each (steps, policies, lots); whole hours of steps."""
        steps = len(arrivals[0])
        free_sum, hour_free, blocked = (np.zeros(self._shape, np.int32) for _ in range(3))
        self._full = np.zeros(self._shape, np.int32)
        hours_in = np.zeros((*self._shape, len(self._bands)))
        lost = np.zeros(self._shape[0], np.int64)
        for step in range(steps):
            refused = self._step([each[step] for each in arrivals])
            blocked += refused
            lost += self._spill(refused)
            hour_free += self._free
            if (step + 1) % STEPS_PER_HOUR == 0:
                hours_in += self._in_bands(hour_free / STEPS_PER_HOUR)
                free_sum += hour_free
                hour_free[:] = 0
        return Period(
            occupancy=1 - free_sum / steps / self._city.capacity,
            full_share=self._full / (2 * steps),
            arrivals=np.sum([each.sum(axis=0, dtype=np.int64) for each in arrivals], axis=0),
            blocked=blocked.astype(np.int64),
            lost=lost,
            hours_in=hours_in / (steps / STEPS_PER_HOUR),
        )

    def _step(self, arriving: list[Counts]) -> Counts:
        """Leave and arrive; the answer is who found the lot full.

        Half of those who leave do so before the others arrive: if all did, each stay would be
        half a step shorter, and a lot block as if demand were 3 % less.
        """
        self._clock += 1
        slot = self._clock % len(self._leaving)
        leaving = self._leaving[slot].copy()
        self._leaving[slot] = 0
        first = (leaving + self._clock % 2) // 2
        self._free += first
        # Those who arrive see the mean of what there was before them and after.
        self._full += self._free == 0
        refused = np.zeros(self._shape, np.int16)
        for turn in range(len(arriving)):
            stay = (turn + self._clock) % len(arriving)
            refused += arriving[stay] - self._admit(arriving[stay], stay)
        self._full += self._free == 0
        self._free += leaving - first
        return refused

    def _admit(self, coming: Counts, stay: int) -> Counts:
        admitted = np.minimum(coming, self._free)
        self._free -= admitted
        self._leaving[(self._clock + STAYS_STEPS[stay]) % len(self._leaving)] += admitted
        return admitted

    def _spill(self, refused: Counts) -> Ints:
        """Those refused a step ago try where they have got to; the answer is who gives up."""
        stay = _SPILLED_STAYS[self._clock % len(_SPILLED_STAYS)]
        going = refused
        for at, coming in enumerate(self._tries):
            turned = coming - self._admit(coming, stay)
            self._tries[at] = self._to_neighbours(going)
            going = turned
        lost: Ints = going.sum(axis=1, dtype=np.int64)
        return lost

    def _to_neighbours(self, going: Counts) -> Counts:
        leaving = np.flatnonzero(going)
        towards = self._targets[self._clock % NEIGHBOURS][leaving]
        reached = np.bincount(towards, weights=going.ravel()[leaving], minlength=going.size)
        return reached.astype(np.int16).reshape(self._shape)

    def _in_bands(self, free: Floats) -> Floats:
        occupancy = 1 - free / self._city.capacity
        inside = [(occupancy >= low) & (occupancy < high) for low, high in self._bands]
        return np.stack(inside, axis=-1).astype(np.float64)
