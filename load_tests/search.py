"""The search for the highest load that is held; no I/O."""

from dataclasses import dataclass
from typing import Final

MOST_P99_MS: Final = 50.0
# More is no longer a load but another machine.
MOST_PER_S: Final = 4000.0
_FACTOR: Final = 1.5
# A rate that was not held once may have met something else on the machine.
_TRIES: Final = 2
_HALVINGS: Final = 3


@dataclass
class Search:
    """Rates to try: each 1.5 times the one before until one is not held, then between the two.

    Attributes:
        per_s: The rate to try now.
        held_per_s: The highest that was held.
        is_over: Whether there is nothing more to try.
    """

    per_s: float
    held_per_s: float = 0.0
    is_over: bool = False
    _missed_per_s: float | None = None
    _tries: int = 0
    _halvings: int = _HALVINGS

    def note(self, *, held: bool) -> None:
        """Take in whether the present rate was held, and choose the next."""
        self._tries += 1
        if held:
            self.held_per_s = self.per_s
        elif self._tries < _TRIES:
            return
        else:
            self._missed_per_s = self.per_s
        self._tries = 0
        if self._missed_per_s is None:
            self.is_over = self.per_s >= MOST_PER_S
            self.per_s = min(self.per_s * _FACTOR, MOST_PER_S)
        else:
            self.is_over = not self._halvings
            self._halvings -= 1
            self.per_s = (self.held_per_s + self._missed_per_s) / 2
