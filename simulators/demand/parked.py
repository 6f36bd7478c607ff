"""Who has parked, and until when: the protocol, and plain counts by lot. No I/O."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulators.demand.stays import MAX_STAY_S

IntArray = NDArray[np.int64]


class Parked(Protocol):
    """Who has parked, and until which step."""

    def leave(self, step: int) -> IntArray:
        """Let those leave whose last step it is; return how many by lot, shape (lots,)."""

    def enter(self, lots: IntArray, until: IntArray) -> None:
        """Let a driver into each of `lots`, who leaves in the step `until`."""

    def hurry(
        self, lots: NDArray[np.bool_], step: int, within: int, rng: np.random.Generator
    ) -> int:
        """Let all who are in the chosen lots leave in one of the next steps, `within` at most.

        Args:
            lots: the chosen ones; shape (lots,).
            step: the last that was lived through, or is.
            within: steps after it.
            rng: draws the step of each.

        Returns:
            How many would have stayed longer.
        """


class Ring:
    """Counts of those who leave, by lot and step, of steps to come.

    Args:
        lots: how many lots there are.
        step_s: seconds of a step.
    """

    def __init__(self, lots: int, step_s: int) -> None:
        self._leaving = np.zeros((int(MAX_STAY_S // step_s) + 2, lots), dtype=np.int32)

    def leave(self, step: int) -> IntArray:
        """See `Parked`."""
        row = self._leaving[step % len(self._leaving)]
        gone: IntArray = row.astype(np.int64)
        row[:] = 0
        return gone

    def enter(self, lots: IntArray, until: IntArray) -> None:
        """See `Parked`."""
        np.add.at(self._leaving, (until % len(self._leaving), lots), 1)

    def hurry(
        self, lots: NDArray[np.bool_], step: int, within: int, rng: np.random.Generator
    ) -> int:
        """See `Parked`."""
        chosen = np.flatnonzero(lots)
        cars, until = self.cars(step, chosen)
        self._leaving[:, chosen] = 0
        sooner = np.minimum(until, step + rng.integers(1, within + 1, len(until)))
        self.enter(cars, sooner)
        return int(np.count_nonzero(sooner < until))

    def cars(self, step: int, chosen: IntArray) -> tuple[IntArray, IntArray]:
        """Return the lot of each driver in the chosen ones, and the later step of leaving."""
        rows, columns = np.nonzero(self._leaving[:, chosen])
        lots = chosen[columns]
        counts = self._leaving[rows, lots]
        until = step + 1 + (rows - step - 1) % len(self._leaving)
        return np.repeat(lots, counts), np.repeat(until, counts)
