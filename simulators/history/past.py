"""A city's past by days of UTC, in steps of 300 s: each day depends on the city and the seed alone.

Demand is lived through in stretches of 28 days that stand fixed in the calendar, each with a week
before it that fills the lots. So whatever is asked for, and in whichever order, the same day comes
out the same. Two stretches agree about the levels of days; where they meet, single drivers differ.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.demand.flow import STEP_S, Flow
from simulators.registry import Lot

DAY: Final = timedelta(days=1)
STEP: Final = timedelta(seconds=STEP_S)
STEPS: Final = DAY // STEP
STRETCH_DAYS: Final = 28


@dataclass(frozen=True)
class Span:
    """A time in whole steps, half-open; both ends are in UTC."""

    start: datetime
    end: datetime

    @property
    def days(self) -> list[date]:
        """Its days, whole or not, the newest first."""
        last = (self.end - STEP).date()
        return [last - n * DAY for n in range((last - self.start.date()).days + 1)]

    def steps(self, day: date) -> range:
        """Return which steps of a day lie in it: numbers 0..287."""
        at = midnight(day)
        return range(max(0, (self.start - at) // STEP), min(STEPS, (self.end - at) // STEP))


def midnight(day: date) -> datetime:
    """Return the first instant of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass(frozen=True)
class Past:
    """The past of a city.

    Attributes:
        lots: at least one; each of at least one bay.
        seed: of all that is random; that of the live city, so that both go on from each other.
        utc_offset_s: of the city's local time.
    """

    lots: Sequence[Lot]
    seed: int
    utc_offset_s: int

    def days(self, wanted: Sequence[date]) -> Iterator[tuple[date, NDArray[np.int64]]]:
        """Live through days.

        Args:
            wanted: days in UTC, in any order.

        Yields:
            Each of them, the newest first, and twice the occupied bays of each lot and step, the
            mean of the step's start and its end; shape (lots, 288).
        """
        stretches: dict[int, set[date]] = {}
        for day in wanted:
            stretches.setdefault(day.toordinal() // STRETCH_DAYS, set()).add(day)
        for number, days in sorted(stretches.items(), reverse=True):
            yield from self._stretch(date.fromordinal(number * STRETCH_DAYS), days)

    def _stretch(self, first: date, days: set[date]) -> Iterator[tuple[date, NDArray[np.int64]]]:
        start_s = midnight(first).timestamp()
        flow = Flow(self.lots, start_s, seed=self.seed, utc_offset_s=self.utc_offset_s)
        lived: list[tuple[date, NDArray[np.int64]]] = []
        while first <= max(days):
            present = np.empty((STEPS + 1, len(self.lots)), dtype=np.int64)
            present[0] = flow.present
            for step in range(1, STEPS + 1):
                flow.advance_to(midnight(first).timestamp() + step * STEP_S)
                present[step] = flow.present
            if first in days:
                lived.append((first, (present[:-1] + present[1:]).T))
            first += DAY
        yield from reversed(lived)
