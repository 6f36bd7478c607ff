"""When the next one comes: a Poisson process at a constant rate, whatever answers take."""

from random import Random
from typing import Final

# Someone who falls behind by more than this starts afresh: else a pause would end in a flood.
_MOST_BEHIND_S: Final = 2.0


class Arrivals:
    """One user's share of a constant total rate.

    The moments are drawn apart from how long answers take: a slow answer delays the next question,
    but those after it catch up, so that the total rate holds.

    Args:
        per_s: Mean number of arrivals a second; above 0.
        random: Where chance comes from.

    Attributes:
        due_s: When the last one was due; None before the first.
    """

    def __init__(self, per_s: float, random: Random) -> None:
        self._per_s, self._random = per_s, random
        self.due_s: float | None = None

    def wait_s(self, now_s: float) -> float:
        """Return how long to wait for the next arrival; 0 if it is overdue."""
        if self.due_s is None or now_s - self.due_s > _MOST_BEHIND_S:
            self.due_s = now_s
        self.due_s += self._random.expovariate(self._per_s)
        return max(self.due_s - now_s, 0.0)
