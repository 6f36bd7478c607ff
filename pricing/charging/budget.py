"""How much work somebody may ask the pricer for, counted by itself.

A step is a window or a piece of a stay: some microseconds. Real tariffs have some ten of them a
day, so that what is refused here is beyond every real question, and was made up to take long.
"""

from dataclasses import dataclass
from typing import Final

from pricing.document import Tariff
from pricing.errors import TooMuchWorkError

# Of one stay: 27 a day for 366 days.
MAX_PIECES: Final = 10_000
TOO_MUCH: Final = "this takes too many steps to price; ask for a shorter stay"
# Of one look over a tariff.
MAX_LOOK: Final = 500_000


def steps_a_day(tariff: Tariff) -> int:
    """The most pieces that a day of a stay can have, roughly."""
    return sum(2 + len(period.tiers or ()) for period in tariff.periods)


@dataclass
class Budget:
    """Steps that are left for a task of many stays."""

    left: int = MAX_LOOK

    def spend(self, steps: int) -> None:
        """Take some steps off.

        Raises:
            TooMuchWorkError: there are not so many left.
        """
        self.left -= steps
        if self.left < 0:
            raise TooMuchWorkError("the document takes too many steps to look over")
