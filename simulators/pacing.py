"""When lots report: their whole state at intervals, and counts not too often. No I/O, no clock."""

import random
from collections.abc import Sequence

from simulators.registry import Lot

# A lot that counts reports a change at most this often.
COUNT_INTERVAL_S = 5.0
# A lot reports again after a random share of its `report_interval_s` between these two. Random, so
# that lots which all reported at once, after a pause, do not do so for ever.
REPORT_SHARES = (0.6, 0.8)


class SnapshotSchedule:
    """When each lot reports its whole state: within its `report_interval_s`, spread evenly.

    Args:
        lots: the lots, by position.
        longest_s: the most seconds between two reports of a lot, whatever its interval.
        start_s: from when on reports are due.
        rng: for the random shares.
    """

    def __init__(
        self, lots: Sequence[Lot], longest_s: float, start_s: float, rng: random.Random
    ) -> None:
        self._rng = rng
        self._longest_s = longest_s
        self._report_interval_s = [lot.report_interval_s for lot in lots]
        self._next_s = [
            start_s + (lot + 1) / len(lots) * self._interval_s(lot) for lot in range(len(lots))
        ]

    def _interval_s(self, lot: int) -> float:
        """Draw the time until a lot's next report."""
        share = self._rng.uniform(*REPORT_SHARES)
        return min(self._longest_s, share * self._report_interval_s[lot])

    def due(self, now_s: float) -> list[int]:
        """Return the positions of the lots that are due, and set when each is due next."""
        due = [lot for lot, next_s in enumerate(self._next_s) if next_s <= now_s]
        for lot in due:
            self._next_s[lot] = now_s + self._interval_s(lot)
        return due


class CountPacer:
    """Delays changed counts so that a lot reports at most once in an interval."""

    def __init__(self, interval_s: float = COUNT_INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._changed: set[int] = set()
        self._quiet_until_s: dict[int, float] = {}

    def changed(self, lot: int) -> None:
        """Note that a lot's count changed."""
        self._changed.add(lot)

    def due(self, now_s: float) -> list[int]:
        """Return the changed lots that may report now, and note them as reported."""
        due = [lot for lot in self._changed if self._quiet_until_s.get(lot, 0.0) <= now_s]
        self._changed.difference_update(due)
        self._quiet_until_s.update(dict.fromkeys(due, now_s + self._interval_s))
        return due
