"""Occupancy in steps of five minutes, weighted by time.

A report holds until the next one, but never longer than the lot's report interval: after that
nothing is known. So each report pays in what the one before it covered, and a step ends up with
the seconds in which the lot was known, the integral of its free spaces over them, and how many of
them it had none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest_mqtt.lots import Lot, LotState

STEP_S = 300
# A device's clock may run ahead of ours by this much before we put our own time in its place.
CLOCK_AHEAD = timedelta(seconds=STEP_S)


@dataclass(slots=True)
class Step:
    """What one batch adds to a lot's step; see `sql.tables.lot_occupancy`."""

    capacity: int
    covered_s: float = 0.0
    free_space_s: float = 0.0
    free_last: int | None = None
    free_min: int | None = None
    free_max: int | None = None
    full_s: float = 0.0

    def observe(self, free: int, capacity: int) -> None:
        """Take in a report that was observed within the step."""
        self.capacity = capacity
        self.free_last = free
        self.free_min = free if self.free_min is None else min(self.free_min, free)
        self.free_max = free if self.free_max is None else max(self.free_max, free)

    def hold(self, free: int, seconds: float) -> None:
        """Take in that a count held for so many seconds of the step."""
        self.covered_s += seconds
        self.free_space_s += free * seconds
        if free == 0:
            self.full_s += seconds

    def joined(self, later: "Step") -> "Step":
        """Return this step with what a later message of the lot adds to it."""
        least = [n for n in (self.free_min, later.free_min) if n is not None]
        most = [n for n in (self.free_max, later.free_max) if n is not None]
        return Step(
            capacity=later.capacity,
            covered_s=self.covered_s + later.covered_s,
            free_space_s=self.free_space_s + later.free_space_s,
            free_last=self.free_last if later.free_last is None else later.free_last,
            free_min=min(least, default=None),
            free_max=max(most, default=None),
            full_s=self.full_s + later.full_s,
        )


class Steps:
    """The steps that a batch touches, by lot and by start in Unix seconds."""

    def __init__(self) -> None:
        self.by_key: dict[tuple[str, int], Step] = {}

    def record(self, lot: Lot, before: LotState | None, after: LotState) -> None:
        """Account for a report: what the one before covered, and the report itself."""
        now = _second(after)
        if before is not None:
            start = _second(before)
            self._cover(lot, before, start, min(now, start + lot.report_interval_s))
        self._step(lot.lot_id, now, after.capacity).observe(after.free_spaces, after.capacity)

    def merged(self, later: "Steps") -> dict[tuple[str, int], Step]:
        """Return the steps that change when those of a later message are added; changes none."""
        return {
            key: self.by_key[key].joined(step) if key in self.by_key else step
            for key, step in later.by_key.items()
        }

    def _cover(self, lot: Lot, state: LotState, start: float, end: float) -> None:
        while start < end:
            upto = min(end, (start // STEP_S + 1) * STEP_S)
            self._step(lot.lot_id, start, state.capacity).hold(state.free_spaces, upto - start)
            start = upto

    def _step(self, lot_id: str, second: float, capacity: int) -> Step:
        key = lot_id, int(second // STEP_S) * STEP_S
        step = self.by_key.get(key)
        if step is None:
            step = self.by_key[key] = Step(capacity)
        return step


def _second(state: LotState) -> float:
    """When a state was true, in Unix seconds; clocks that run far ahead do not count."""
    observed: datetime = state.observed_at
    if observed > state.received_at + CLOCK_AHEAD:
        observed = state.received_at
    return observed.timestamp()
