"""What the gates of lots count: cars that are missed or doubled add up until a recount. No I/O."""

from typing import Final

import numpy as np

from simulators.sensors.bays import BoolArray, Chances, IntArray
from simulators.sensors.profiles import Profile

_DAY_MIN: Final = 24 * 60
# Somebody counts at a minute of the night that is the lot's own, from 02:00 on. An assumption.
_RECOUNT_FROM_MIN: Final = 2 * 60
_RECOUNT_WITHIN_MIN: Final = 3 * 60


class GateCounters:
    """The counts of all lots at their gates, over what is true.

    Args:
        chances: for all draws.
        occupied: what is true of each bay, shape (bays,); read again at each step.
        offsets: first bay of each lot, and the number of all bays last.
        profile: rates of faults.

    Attributes:
        cars: counted in each lot, 0 to its bays, since no counter shows less or more; shape
            (lots,). They are right at the beginning.
    """

    def __init__(
        self, chances: Chances, occupied: BoolArray, offsets: IntArray, profile: Profile
    ) -> None:
        self._chances, self._truth, self._profile = chances, occupied, profile
        self._first = offsets[:-1]
        self._capacity = np.diff(offsets)
        self.cars = self._true_cars()
        turns = chances.draw("recount minute", self._first, np.zeros_like(self._first))
        self._recount_min = _RECOUNT_FROM_MIN + (turns * _RECOUNT_WITHIN_MIN).astype(np.int64)

    def _true_cars(self) -> IntArray:
        cars: IntArray = np.add.reduceat(self._truth, self._first, dtype=np.int64)
        return cars

    def step(self, number: int, changed: IntArray) -> None:
        """Count the cars that came or left in a step. See `BaySensors.step`."""
        drawn = self._chances.draw("gate", changed, np.full(len(changed), number))
        times = np.ones(len(changed), dtype=np.int64)
        times[drawn < self._profile.gate_missed] = 0
        times[drawn >= 1.0 - self._profile.gate_doubled] = 2
        signed = np.where(self._truth[changed], times, -times)
        np.add.at(self.cars, self._chances.lot[changed], signed)
        np.clip(self.cars, 0, self._capacity, out=self.cars)

    def renew(self, minute: int, local_minute: int) -> None:
        """Put right the counts of lots whose turn it is.

        Args:
            minute: since 1970.
            local_minute: the same, of the city's local time.
        """
        lots = np.flatnonzero(self._recount_min == local_minute % _DAY_MIN)
        if not len(lots):
            return
        drawn = self._chances.draw("recount", self._first[lots], np.full(len(lots), minute))
        lots = lots[drawn < self._profile.recounted]
        self.cars[lots] = self._true_cars()[lots]
