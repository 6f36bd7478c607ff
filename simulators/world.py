"""The state of all bays of the simulated lots, as reports. No I/O, no clock."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from simulators.demand.bays import Demand, IntArray
from simulators.feeds import CHANGES_MAX, Report, count_report, snapshot_report, spaces_report
from simulators.registry import Lot


class World:
    """All lots by their position in `lots`, over one `Demand` of the same lots.

    Args:
        lots: the lots, in the order of the demand.
        make_demand: makes the lots' demand as it is at an instant in Unix seconds.
        start_s: the demand's first instant.
        observed_at: the time of this state on the wall clock, RFC 3339 with offset.
    """

    def __init__(
        self,
        lots: Sequence[Lot],
        make_demand: Callable[[float], Demand],
        start_s: float,
        observed_at: str,
    ) -> None:
        self.lots = tuple(lots)
        self.observed_at = observed_at
        self._make_demand = make_demand
        self._demand = make_demand(start_s)
        self._reported = self._demand.occupied.copy()

    @property
    def simulated_s(self) -> float:
        """The drivers' time, in Unix seconds; `observed_at` is the gateways' time."""
        return self._demand.now_s

    def advance_to(self, at_s: float) -> None:
        """Let the demand go on to an instant in Unix seconds."""
        self._demand.advance_to(at_s)

    def jump_to(self, at_s: float) -> None:
        """Put the demand to an instant without living through the time before it."""
        self._demand = self._make_demand(at_s)

    def changes(self, observed_at: str) -> Iterator[tuple[int, IntArray]]:
        """Return what changed since this was last asked; `observed_at` is the time of the state.

        Yields:
            Each lot that changed, and the indices from 0 of its changed bays.
        """
        self.observed_at = observed_at
        changed = np.flatnonzero(self._demand.occupied != self._reported)
        self._reported[changed] = self._demand.occupied[changed]
        owners = np.searchsorted(self._demand.offsets, changed, side="right") - 1
        lots, starts = np.unique(owners, return_index=True)
        for lot, bays in zip(lots.tolist(), np.split(changed, starts[1:]), strict=False):
            yield lot, bays - self._demand.offsets[lot]

    def turned_away(self) -> dict[str, int]:
        """Return how many drivers found no place so far, and what became of them, for figures."""
        flow = self._demand.flow
        return {"lost": flow.lost, "diverted": flow.diverted, "met_closed": flow.turned_away_closed}

    def free_spaces(self, lot: int) -> int:
        """Count the free bays of a lot."""
        return int(self.lots[lot].capacity - np.count_nonzero(self._bays(lot)))

    def occupancy(self) -> float:
        """Return the share of all bays that are occupied."""
        return float(self._demand.occupied.mean())

    def whole_state(self, lot: int) -> Report:
        """Report the whole state of a lot: a snapshot of its bays, or a count."""
        if self.lots[lot].reporting == "bays":
            return snapshot_report(self.observed_at, self._bays(lot))
        return count_report(self.observed_at, self.free_spaces(lot), self.lots[lot].capacity)

    def report(self, lot: int, bays: IntArray) -> Report:
        """Report changed bays (indices from 0, at least one) of a lot that senses bays."""
        if len(bays) > CHANGES_MAX:
            return self.whole_state(lot)
        taken = self._bays(lot)[bays]
        numbers = bays + 1
        return spaces_report(self.observed_at, numbers[taken].tolist(), numbers[~taken].tolist())

    def _bays(self, lot: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        first, last = self._demand.offsets[lot], self._demand.offsets[lot + 1]
        return self._demand.occupied[first:last]
