"""What a benchmark finds: figures with their spread, beside what is to be reached."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Goal:
    """What is to be reached.

    Attributes:
        bound: The figure is at least so much; or at most, where `is_most`.
        aim: What would be better still.
        is_most: Whether less is better.
    """

    bound: float
    aim: float | None = None
    is_most: bool = False

    def is_reached(self, value: float) -> bool:
        """Return whether a figure reaches the bound."""
        return value <= self.bound if self.is_most else value >= self.bound

    def __str__(self) -> str:
        """Return the goal in words."""
        words = f"at {'most' if self.is_most else 'least'} {self.bound:,g}"
        return words if self.aim is None else f"{words}, aim {self.aim:,g}"


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        key: What programs call it.
        name: What people read.
        value: The median over the rounds.
        low: The least of them.
        high: The most.
        unit: Empty for a ratio.
        goal: None where nothing is asked.
        note: What else is to be known of it.
    """

    key: str
    name: str
    value: float
    low: float
    high: float
    unit: str = ""
    goal: Goal | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """The result in a word."""
        if self.goal is None:
            return "-"
        return "reached" if self.goal.is_reached(self.value) else "NOT REACHED"


def figure(
    key: str,
    name: str,
    values: Sequence[float],
    *,
    unit: str = "",
    goal: Goal | None = None,
    note: str = "",
) -> Figure:
    """Make a figure of several rounds, a value each; the other arguments are `Figure`'s."""
    return Figure(key, name, median(values), min(values), max(values), unit, goal, note)


@dataclass
class Part:
    """What one part of the benchmarks found.

    Attributes:
        name: Of the part.
        figures: In the order of the report.
        runs: Each run of each contender, as it was measured.
        notes: What else is to be known.
    """

    name: str
    figures: list[Figure] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
