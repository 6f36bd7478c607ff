"""What is true of all bays, what sensors show of it, and that as reports. No I/O, no clock."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from simulators.demand.bays import STEP_S, Demand, IntArray
from simulators.demand.levels import FloatArray
from simulators.feeds import (
    CHANGES_MAX,
    Report,
    count_report,
    rfc3339,
    snapshot_report,
    spaces_report,
)
from simulators.registry import Lot
from simulators.sensors.bays import BaySensors, BoolArray, Chances
from simulators.sensors.gates import GateCounters
from simulators.sensors.profiles import CLEAN, Profile

_MINUTE_S = 60


class World:
    """All lots by their position in `lots`, over one `Demand` of the same lots.

    Args:
        lots: the lots, in the order of the demand.
        make_demand: makes the lots' demand as it is at an instant in Unix seconds.
        start_s: the demand's first instant.
        observed_at: the time of this state on the wall clock, aware.
        profile: how often sensors fail.
        seed: of the sensors.

    Attributes:
        observed_at: the time of what was last reported, on the wall clock.
        clocks_s: by how much the clock of each lot's gateway is ahead; shape (lots,).
    """

    def __init__(
        self,
        lots: Sequence[Lot],
        make_demand: Callable[[float], Demand],
        start_s: float,
        observed_at: datetime,
        *,
        profile: Profile = CLEAN,
        seed: int = 0,
    ) -> None:
        self.lots = tuple(lots)
        self.observed_at = observed_at
        self.clocks_s: FloatArray = np.zeros(len(lots))
        self._make_demand, self._profile, self._seed = make_demand, profile, seed
        self._counts = np.array([lot.reporting != "bays" for lot in lots])
        self._closed: frozenset[str] = frozenset()
        self._prices: tuple[Mapping[str, float], float] | None = None
        self._begin(start_s)
        self._shown = self._sensors.shown()
        self._unknown = self._sensors.unknown.copy()
        self._cars = self._gates.cars.copy()

    def _begin(self, at_s: float) -> None:
        """Begin with the demand of an instant, and with sensors that have seen nothing before."""
        self._demand = self._make_demand(at_s)
        self._demand.flow.tell_closed(self._closed)
        if self._prices is not None:
            self._demand.flow.tell_prices(*self._prices)
        offsets, occupied = self._demand.offsets, self._demand.occupied
        chances = Chances(self._seed, [lot.lot_id for lot in self.lots], offsets)
        self._of_counting = self._counts[chances.lot]
        self._gates = GateCounters(chances, occupied, offsets, self._profile)
        self._sensors = BaySensors(chances, occupied, self._profile, int(at_s // _MINUTE_S))

    @property
    def simulated_s(self) -> float:
        """The drivers' time, in Unix seconds; `observed_at` is the gateways' time."""
        return self._demand.now_s

    @property
    def occupied(self) -> BoolArray:
        """What is true of each bay, lot by lot; shape (bays,)."""
        return self._demand.occupied

    @property
    def offsets(self) -> IntArray:
        """First bay of each lot, and the number of all bays last; shape (lots + 1,)."""
        return self._demand.offsets

    def advance_to(self, at_s: float) -> None:
        """Let the demand go on to an instant in Unix seconds, and the sensors with it."""
        first = int(self._demand.now_s // STEP_S) + 1
        for number in range(first, int(at_s // STEP_S) + 1):
            step_s = number * STEP_S
            changed = self._demand.advance_to(step_s)
            counted = self._of_counting[changed]
            self._sensors.step(number, changed[~counted])
            self._gates.step(number, changed[counted])
            if step_s % _MINUTE_S == 0:
                self._renew(step_s)
        self._demand.advance_to(at_s)

    def _renew(self, at_s: int) -> None:
        local_s = self._demand.flow.rates.local(at_s)[1]
        self._sensors.renew(at_s // _MINUTE_S)
        self._gates.renew(at_s // _MINUTE_S, int(local_s // _MINUTE_S))

    def jump_to(self, at_s: float) -> None:
        """Put the demand to an instant without living through the time before it."""
        self._begin(at_s)

    def tell_closed(self, lot_ids: Collection[str]) -> None:
        """Say which lots are closed for a time from now on, until told otherwise."""
        self._closed = frozenset(lot_ids)
        self._demand.flow.tell_closed(self._closed)

    def tell_prices(self, relative: Mapping[str, float], elasticity: float) -> None:
        """Say prices over base prices by lot, and how demand answers them from now on."""
        self._prices = relative, elasticity
        self._demand.flow.tell_prices(relative, elasticity)

    def changes(self, observed_at: datetime) -> Iterator[tuple[int, IntArray]]:
        """Return what sensors show otherwise than when this was last asked.

        Args:
            observed_at: the time of the state on the wall clock.

        Yields:
            Each lot that changed, ascending, and the indices from 0 of its changed bays; none for
            a lot that counts.
        """
        self.observed_at = observed_at
        shown, unknown = self._sensors.shown(), self._sensors.unknown
        differs = (shown != self._shown) | (unknown != self._unknown)
        bays = np.flatnonzero(differs & ~self._of_counting)
        recounted = np.flatnonzero((self._gates.cars != self._cars) & self._counts)
        self._shown, self._unknown = shown, unknown.copy()
        self._cars = self._gates.cars.copy()
        owners = np.searchsorted(self.offsets, bays, side="right") - 1
        lots, starts = np.unique(owners, return_index=True)
        changed = dict(zip(lots.tolist(), np.split(bays, starts[1:]), strict=False))
        for lot in sorted({*changed, *recounted.tolist()}):
            yield lot, changed.get(lot, bays[:0]) - self.offsets[lot]

    def turned_away(self) -> dict[str, int]:
        """Return how many drivers found no place so far, or had to leave early, for figures."""
        flow = self._demand.flow
        return {
            "lost": flow.lost,
            "diverted": flow.diverted,
            "met_closed": flow.turned_away_closed,
            "shortened": flow.shortened,
            "sent_out": flow.sent_out,
        }

    def free_spaces(self) -> IntArray:
        """Count the bays of each lot that are truly free; shape (lots,)."""
        cars: IntArray = np.add.reduceat(self.occupied, self.offsets[:-1], dtype=np.int64)
        return np.diff(self.offsets) - cars

    def occupancy(self) -> float:
        """Return the share of all bays that are occupied."""
        return float(self.occupied.mean())

    def shown_free(self, lot: int) -> int:
        """Count the bays of a lot that its sensors show as free."""
        if self._counts[lot]:
            return int(self.lots[lot].capacity - self._cars[lot])
        bays = self._bays(lot)
        return int(
            self.lots[lot].capacity - np.count_nonzero(self._shown[bays] | self._unknown[bays])
        )

    def whole_state(self, lot: int) -> Report:
        """Report all that the sensors of a lot show: a snapshot of its bays, or a count."""
        if self._counts[lot]:
            return count_report(self._stamp(lot), self.shown_free(lot), self.lots[lot].capacity)
        bays = self._bays(lot)
        return snapshot_report(self._stamp(lot), self._shown[bays], self._unknown[bays])

    def report(self, lot: int, bays: IntArray) -> Report:
        """Report changed bays (indices from 0, at least one) of a lot that senses bays."""
        if len(bays) > CHANGES_MAX:
            return self.whole_state(lot)
        own = self._bays(lot)
        taken, unknown = self._shown[own][bays], self._unknown[own][bays]
        numbers = bays + 1
        return spaces_report(
            self._stamp(lot),
            numbers[taken].tolist(),
            numbers[~taken & ~unknown].tolist(),
            numbers[unknown].tolist(),
        )

    def _stamp(self, lot: int) -> str:
        return rfc3339(self.observed_at + timedelta(milliseconds=round(1_000 * self.clocks_s[lot])))

    def _bays(self, lot: int) -> slice:
        return slice(self.offsets[lot], self.offsets[lot + 1])
