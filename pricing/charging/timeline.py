"""Which window governs when: a tariff's periods laid out in time.

The rules are in docs/contract/tariff.md, Fields and Charging 2.

The layout is kept by UTC days, each computed once from the local dates whose windows can reach into
it; so a quote needs no conversion of time zones, only a look into a dictionary.
"""

from collections import deque
from datetime import date, datetime, timedelta
from heapq import heappop, heappush
from itertools import pairwise
from operator import attrgetter
from typing import Final
from zoneinfo import ZoneInfo

from pricing.charging.budget import MAX_PIECES, TOO_MUCH
from pricing.charging.periods import EPOCH_ORDINAL, MINUTES_A_DAY, DayTypes, PeriodPlan, Segment
from pricing.document import Calendar, Tariff
from pricing.errors import TooMuchWorkError
from pricing.instants import DAY, instant_us

# Of a tariff: years enough, and 10 MB at most.
MAX_DAYS_KEPT: Final = 1024

# Local dates that a UTC day can touch lie from one before to one after it; a window reaches into
# the date after its own. One more for zones that have moved across the date line.
DATES_BEFORE: Final = 3
DATES_AFTER: Final = 1


class Timeline:
    """The governing windows of one tariff under one calendar."""

    __slots__ = ("_dates", "_days", "_types", "_zone", "periods")

    def __init__(self, tariff: Tariff, calendar: Calendar | None) -> None:
        self.periods = tuple(PeriodPlan(i, period) for i, period in enumerate(tariff.periods))
        self._zone = ZoneInfo(tariff.timezone)
        self._types = DayTypes(calendar)
        self._days: dict[int, tuple[Segment, ...]] = {}
        self._dates: dict[int, tuple[Segment, ...]] = {}

    def between(self, start: int, end: int) -> list[Segment]:
        """The segments from `start` to `end`, end to end, neighbours of one window joined.

        Raises:
            TooMuchWorkError: there are more than `MAX_PIECES`.
        """
        found: list[Segment] = []
        last = -2
        for day in range(start // DAY, (end - 1) // DAY + 1):
            if len(found) > MAX_PIECES:
                raise TooMuchWorkError(TOO_MUCH)
            for segment in self._days.get(day) or self._laid_out(day):
                if segment[1] <= start:
                    continue
                if segment[0] >= end:
                    break
                if segment[3] == last:
                    segment = segment._replace(start=found.pop()[0])  # noqa: PLW2901
                last = segment[3]
                found.append(segment)
        first = found[0]
        if first[0] < start:
            found[0] = first._replace(start=start)
        final = found[-1]
        if final[1] > end:
            found[-1] = final._replace(end=end)
        return found

    def _laid_out(self, day: int) -> tuple[Segment, ...]:
        start, end = day * DAY, (day + 1) * DAY
        ordinal = EPOCH_ORDINAL + day
        windows = [
            window
            for date_ordinal in range(ordinal - DATES_BEFORE, ordinal + DATES_AFTER + 1)
            for window in self.starting(date_ordinal)
            if window.start < end and window.end > start
        ]
        if len(self._days) >= MAX_DAYS_KEPT:
            self._days.clear()
        self._days[day] = governed = govern(windows, start, end)
        return governed

    def starting(self, ordinal: int) -> tuple[Segment, ...]:
        """The windows that start on a local date, given by its ordinal, in the order of periods."""
        known = self._dates.get(ordinal)
        if known is None:
            day = date.fromordinal(ordinal)
            kinds = self._types.of(day)
            windows = (
                self._window(period, ordinal)
                for period in self.periods
                if period.starts_on(day, kinds)
            )
            # A skipped hour can leave nothing of a window.
            known = tuple(window for window in windows if window.start < window.end)
            if len(self._dates) >= MAX_DAYS_KEPT:
                self._dates.clear()
            self._dates[ordinal] = known
        return known

    def _window(self, period: PeriodPlan, ordinal: int) -> Segment:
        return Segment(
            self._instant(ordinal, period.opens),
            self._instant(ordinal, period.closes),
            period,
            ordinal * len(self.periods) + period.index,
            ordinal,
        )

    def _instant(self, ordinal: int, minutes: int) -> int:
        days, rest = divmod(minutes, MINUTES_A_DAY)
        midnight = datetime.fromordinal(ordinal + days)
        # fold=0: a repeated hour's first pass; in a skipped hour the offset before the change.
        local = (midnight + timedelta(minutes=rest)).replace(tzinfo=self._zone, fold=0)
        return instant_us(local)


def govern(windows: list[Segment], start: int, end: int) -> tuple[Segment, ...]:
    """Cut [start, end) where the governing window changes.

    The earliest period in the list governs. Two windows of one period can meet only where a skipped
    hour moves one into the other; the one that began first then governs to its end.
    """
    cuts = {start, end}
    for window in windows:
        cuts.add(max(start, window.start))
        cuts.add(min(end, window.end))
    coming = deque(sorted(windows, key=attrgetter("start")))
    # Windows that have begun, the one that governs first; those that have ended are left in the
    # heap until they come first.
    begun: list[tuple[int, int, Segment]] = []
    found: list[Segment] = []
    for low, high in pairwise(sorted(cuts)):
        while coming and coming[0].start <= low:
            window = coming.popleft()
            heappush(begun, (window.place, window.start, window))
        while begun and begun[0][2].end <= low:
            heappop(begun)
        period, key, day = begun[0][2][2:] if begun else (None, -1, 0)
        if found and found[-1].key == key:
            low = found.pop().start  # noqa: PLW2901
        found.append(Segment(low, high, period, key, day))
    return tuple(found)
