"""The demand's clock: from where and how fast the drivers' time runs. No I/O.

Reports carry the wall clock. The demand has a time of its own, which begins at a start and runs
`speed` times as fast as the wall clock, also while the machine sleeps.
"""

from datetime import datetime, tzinfo
from typing import Final

# Of a difference between two clocks' progress, what is no more than slewing and rounding.
_SLACK_S: Final = 2.0
# Behind by less than this, in real seconds, the demand is in time: it goes in steps, by ticks.
IN_TIME_S: Final = 15.0
# A demand that is behind for so long does not catch up any more: it jumps.
JUMP_AFTER_S: Final = 45.0
_YEARS: Final = (2000, 2099)


def read_start(text: str, zone: tzinfo) -> datetime:
    """Read where the demand begins: an instant with its offset, or a local date-time or date.

    Args:
        text: RFC 3339 or ISO 8601, such as `2026-10-01T08:00` or `2026-10-01`.
        zone: of local times.

    Returns:
        The instant, at the city's offset.

    Raises:
        ValueError: it is none of these, or not in this century.
    """
    at = datetime.fromisoformat(text)
    if not _YEARS[0] <= at.year <= _YEARS[1]:
        raise ValueError(text)
    return at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)


class DemandClock:
    """Which instant of the demand is due, by the wall clock.

    The wall clock goes on while the machine sleeps or the process is stopped; steady time may not.
    A wall clock that is set back does not turn the demand back: steady time counts then.

    Args:
        start_s: the demand's first instant, Unix seconds.
        speed: the demand's time over the wall clock's, above 0.
        wall_s: the wall clock at the start, Unix seconds.
        steady_s: a clock that nobody sets, at the start.

    Attributes:
        due_s: the instant of the demand that was due at the last reading, Unix seconds.
        slept_s: by how much the wall clock went ahead of steady time at the last reading, where
            that is no slewing: the machine slept, or its clock was set; else 0.
    """

    def __init__(self, start_s: float, speed: float, wall_s: float, steady_s: float) -> None:
        self.due_s = start_s
        self.slept_s = 0.0
        self._speed = speed
        self._wall_s, self._steady_s = wall_s, steady_s
        self._behind_since_s: float | None = None

    def read(self, wall_s: float, steady_s: float) -> float:
        """Read both clocks, and return the instant of the demand that is due."""
        passed_s, steadily_s = wall_s - self._wall_s, steady_s - self._steady_s
        ahead_s = passed_s - steadily_s
        self.slept_s = ahead_s if ahead_s > _SLACK_S else 0.0
        if ahead_s < -_SLACK_S:
            passed_s = steadily_s
        self._wall_s, self._steady_s = wall_s, steady_s
        self.due_s += max(passed_s, 0.0) * self._speed
        return self.due_s

    def behind_s(self, now_s: float) -> float:
        """Return by how many seconds of the wall clock a demand at `now_s` is behind."""
        return max(self.due_s - now_s, 0.0) / self._speed

    def should_jump(self, now_s: float, steady_s: float) -> bool:
        """Return whether a demand at `now_s` has been behind for too long to catch up.

        To be asked at each tick.
        """
        if self.behind_s(now_s) < IN_TIME_S:
            self._behind_since_s = None
            return False
        if self._behind_since_s is None:
            self._behind_since_s = steady_s
        return steady_s - self._behind_since_s >= JUMP_AFTER_S

    def jumped(self) -> None:
        """Note that the demand is in time again."""
        self._behind_since_s = None
