"""When lots may be entered: their opening hours. No I/O."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.registry import Lot

DAY_S: Final = 86_400
_ALWAYS: Final = (0, DAY_S)


class Opening:
    """The daily opening hours of lots; a lot without them is open round the clock.

    Hours from 18:00 to 08:30 go over midnight; from 08:00 to 08:00 is round the clock.

    Args:
        lots: `opens_at` and `closes_at` as `HH:MM`, local; both or neither.

    Raises:
        ValueError: a time is none.
    """

    def __init__(self, lots: Sequence[Lot]) -> None:
        hours = np.array([_hours_s(lot) for lot in lots], dtype=np.int64).reshape(-1, 2)
        self._opens_s, self._closes_s = hours.T
        self._over_midnight = self._closes_s <= self._opens_s
        self._round_the_clock = (self._closes_s - self._opens_s) % DAY_S == 0

    def at(self, second: int) -> NDArray[np.bool_]:
        """Return which lots are open in a local second of the day, 0 to 86,399; shape (lots,)."""
        opened, closing = self._opens_s <= second, second < self._closes_s
        return np.where(self._over_midnight, opened | closing, opened & closing)

    def closes_in(self, second: int) -> NDArray[np.float64]:
        """Return in how many seconds each lot closes; shape (lots,).

        0 where it is closed, infinite where it is open round the clock.
        """
        left = (self._closes_s - second - 1) % DAY_S + 1
        open_left = np.where(self._round_the_clock, np.inf, left)
        return np.where(self.at(second), open_left, 0.0)


def _hours_s(lot: Lot) -> tuple[int, int]:
    if not lot.opens_at or not lot.closes_at:
        return _ALWAYS
    return _second(lot.opens_at), _second(lot.closes_at)


def _second(text: str) -> int:
    hours, minutes = text.split(":")[:2]
    return int(hours) * 3_600 + int(minutes) * 60
