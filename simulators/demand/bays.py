"""In which bay each driver stands. No I/O."""

from collections.abc import Sequence
from typing import Final, Unpack

import numpy as np
from numpy.typing import NDArray

from simulators.demand.flow import Flow, Options
from simulators.registry import Lot

IntArray = NDArray[np.int64]

STEP_S: Final = 5
# How strongly drivers prefer bays near the entrance: those nearest are chosen exp(2) = 7 times as
# often as the last ones, if both are free. An assumption.
_EAGERNESS: Final = 2.0
_NOBODY: Final = -1


class Bays:
    """The bays of all lots and until which step each is taken. See `parked.Parked`.

    Args:
        capacity: bays of each lot.
        ranks: of each bay, lot by lot: those of low rank are preferred; by number when None.
        seed: of the choice among free bays.
    """

    def __init__(self, capacity: IntArray, ranks: IntArray | None, seed: int) -> None:
        self.offsets: IntArray = np.concatenate(([0], np.cumsum(capacity)))
        self.occupied = np.zeros(self.offsets[-1], dtype=np.bool_)
        self._until = np.full(self.offsets[-1], _NOBODY, dtype=np.int64)
        self._lot = np.repeat(np.arange(len(capacity)), capacity)
        self._rng = np.random.default_rng([seed, len(capacity)])
        bays = np.arange(self.offsets[-1])
        # The bays of each lot, the preferred ones first.
        self._order = bays if ranks is None else np.lexsort((bays, ranks, self._lot))

    def leave(self, step: int) -> IntArray:
        """See `Parked`."""
        # A scan of all bays: 0.2 ms for 470,000, less than keeping a heap of them would take.
        gone = np.flatnonzero(self._until == step)
        self.occupied[gone] = False
        self._until[gone] = _NOBODY
        return np.bincount(self._lot[gone], minlength=len(self.offsets) - 1)

    def enter(self, lots: IntArray, until: IntArray) -> None:
        """See `Parked`."""
        sorted_ = np.argsort(lots, kind="stable")
        entered, starts = np.unique(lots[sorted_], return_index=True)
        for lot, drivers in zip(entered.tolist(), np.split(sorted_, starts[1:]), strict=False):
            bays = self._choose(lot, len(drivers))
            self.occupied[bays] = True
            self._until[bays] = until[drivers]

    def hurry(
        self, lots: NDArray[np.bool_], step: int, within: int, rng: np.random.Generator
    ) -> int:
        """See `Parked`."""
        bays = np.flatnonzero(self.occupied & lots[self._lot])
        until = self._until[bays]
        self._until[bays] = np.minimum(until, step + rng.integers(1, within + 1, len(bays)))
        return int(np.count_nonzero(self._until[bays] < until))

    def _choose(self, lot: int, drivers: int) -> IntArray:
        """Choose free bays of a lot, preferred ones more often."""
        order = self._order[self.offsets[lot] : self.offsets[lot + 1]]
        free = order[~self.occupied[order]]
        # Gumbel's trick: the largest of weight and noise are drawn by the weights, without return.
        liked = self._rng.gumbel(size=len(free)) - _EAGERNESS * np.arange(len(free)) / len(free)
        chosen: IntArray = free[np.argpartition(-liked, drivers - 1)[:drivers]]
        return chosen


class Demand:
    """The bays of all lots and the drivers in them, advanced in steps.

    Bays of all lots stand in one array, lot by lot: bay n of lot i is element
    `offsets[i] + n - 1`. The same lots, start and seed give the same bays at each step.

    Attributes:
        offsets: first bay of each lot, and the number of all bays last; shape (lots + 1,).
        occupied: whether each bay is taken; shape (bays,).
        flow: the same drivers by lot, with the counts of those turned away.
    """

    def __init__(
        self,
        lots: Sequence[Lot],
        start_s: float,
        *,
        ranks: IntArray | None = None,
        **options: Unpack[Options],
    ) -> None:
        """Fill the lots as the week before the start leaves them. See `Flow`.

        Args:
            lots: at least one; each of at least one bay.
            start_s: Unix seconds.
            ranks: of each bay: those of low rank are preferred; by number when None.
            **options: see `flow.Options`.

        Raises:
            ValueError: there is no lot, or one without a bay.
            RegistryError: an event is far from any lot.
        """
        capacity = np.array([lot.capacity for lot in lots], dtype=np.int64)
        self._bays = Bays(capacity, ranks, options["seed"])
        self.offsets, self.occupied = self._bays.offsets, self._bays.occupied
        self.flow = Flow(lots, start_s, step_s=STEP_S, parked=self._bays, **options)

    @property
    def now_s(self) -> float:
        """The simulated time in Unix seconds: the last instant that was asked for."""
        return self.flow.now_s

    def advance_to(self, at_s: float) -> IntArray:
        """Live through all whole steps up to an instant in Unix seconds; none if it is past.

        Returns:
            The bays whose state at the end differs from that at the beginning, ascending.
        """
        before = self.occupied.copy()
        self.flow.advance_to(at_s)
        return np.flatnonzero(before != self.occupied)
