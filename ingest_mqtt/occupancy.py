"""History: occupancy in steps of five minutes, weighted by time.

A report is valid until the next one, but never longer than its state is `live`: after that nothing
is known. So each report adds the time that the one before it covered. Time counts from the newest
instant in the lot's history, or later: history runs forward, whatever clocks say, and no second
is covered twice. A state that came too late to be live does not count.
"""

from ingest_mqtt.lots import Lot, LotState
from sql.lot_states import live_for
from sql.statements import Row

STEP_S = 300


class Step(Row):
    """What one batch adds to a lot's step; see `sql.schema`."""

    capacity: int
    free_last: int
    free_min: int
    free_max: int
    covered_s: float = 0.0
    space_s: float = 0.0
    known_space_s: float = 0.0
    free_space_s: float = 0.0
    full_s: float = 0.0

    @classmethod
    def of(cls, state: LotState, seconds: float = 0.0) -> "Step":
        """Return what a state adds that was valid for so many seconds of the step."""
        return cls(
            state.capacity,
            state.free_spaces,
            state.free_spaces,
            state.free_spaces,
            seconds,
            state.capacity * seconds,
            state.known_spaces * seconds,
            state.free_spaces * seconds,
            seconds if state.is_full else 0.0,
        )

    def joined(self, later: "Step") -> "Step":
        """Return this step with what a later state of the lot adds to it."""
        return Step(
            capacity=later.capacity,
            free_last=later.free_last,
            free_min=min(self.free_min, later.free_min),
            free_max=max(self.free_max, later.free_max),
            covered_s=self.covered_s + later.covered_s,
            space_s=self.space_s + later.space_s,
            known_space_s=self.known_space_s + later.known_space_s,
            free_space_s=self.free_space_s + later.free_space_s,
            full_s=self.full_s + later.full_s,
        )


class Steps:
    """The steps that a batch touches, by lot and by start in Unix seconds."""

    def __init__(self) -> None:
        self.by_key: dict[tuple[str, int], Step] = {}

    def record(self, lot: Lot, before: LotState | None, after: LotState) -> None:
        """Add a report: the time that the report before it covered, and the report itself.

        A state in which nothing is known adds nothing.
        """
        now, live = after.history_at, live_for(lot.report_interval_s)
        if before is not None and not before.nothing_known:
            start, end = before.history_at, min(now, before.observed_at + live)
            self._cover(lot.lot_id, before, start.timestamp(), end.timestamp())
        if not after.nothing_known and now <= after.observed_at + live:
            self._add(lot.lot_id, now.timestamp(), Step.of(after))

    def merged(self, later: "Steps") -> dict[tuple[str, int], Step]:
        """Return the steps that change when a later message's are added; change nothing here."""
        return {
            key: self.by_key[key].joined(step) if key in self.by_key else step
            for key, step in later.by_key.items()
        }

    def _cover(self, lot_id: str, state: LotState, start: float, end: float) -> None:
        while start < end:
            upto = min(end, (start // STEP_S + 1) * STEP_S)
            self._add(lot_id, start, Step.of(state, upto - start))
            start = upto

    def _add(self, lot_id: str, second: float, step: Step) -> None:
        """Add to the step of an instant."""
        key = lot_id, int(second // STEP_S) * STEP_S
        before = self.by_key.get(key)
        self.by_key[key] = before.joined(step) if before else step
