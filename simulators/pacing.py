"""When lots report: whole at intervals, and counts not too often. No I/O; seconds come in."""

from collections.abc import Sequence

from simulators.registry import Lot

# A lot that counts reports a change at most this often.
COUNT_INTERVAL_S = 5.0
# Share of `report_interval_s` after which a lot reports at the latest: silence would make it stale.
REPORT_SHARE = 0.8


class SnapshotSchedule:
    """When each lot is to report whole, spread evenly so that not all go at once."""

    def __init__(self, lots: Sequence[Lot], interval_s: float, start_s: float) -> None:
        self._interval_s = [min(interval_s, REPORT_SHARE * lot.report_interval_s) for lot in lots]
        shares = ((position + 1) / len(lots) for position in range(len(lots)))
        intervals = zip(shares, self._interval_s, strict=True)
        self._next_s = [start_s + share * interval for share, interval in intervals]

    def due(self, now_s: float) -> list[int]:
        """Give the positions of the lots whose time has come; each is due an interval later."""
        due = [lot for lot, next_s in enumerate(self._next_s) if next_s <= now_s]
        for lot in due:
            self._next_s[lot] = now_s + self._interval_s[lot]
        return due


class CountPacer:
    """Holds back changed counts so that a lot reports at most once in an interval."""

    def __init__(self, interval_s: float = COUNT_INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._changed: set[int] = set()
        self._quiet_until_s: dict[int, float] = {}

    def changed(self, lot: int) -> None:
        """Note that a lot's count changed."""
        self._changed.add(lot)

    def due(self, now_s: float) -> list[int]:
        """Give the changed lots that may report now; they count as having reported."""
        due = [lot for lot in self._changed if self._quiet_until_s.get(lot, 0.0) <= now_s]
        self._changed.difference_update(due)
        self._quiet_until_s.update(dict.fromkeys(due, now_s + self._interval_s))
        return due
