"""The state that the users of one Locust process share."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from time import perf_counter

from load_tests.catalogue import Lot, Places
from load_tests.plan import Plan


@dataclass
class World:
    """The plan and the city.

    Attributes:
        plan: What to do.
        counted: How often what happened.
        driver_per_s: How often each driver asks.
        began_s: When the warm-up began (`perf_counter`).
    """

    plan: Plan
    counted: Counter[str] = field(default_factory=Counter)
    driver_per_s: float = 1.0
    began_s: float = field(default_factory=perf_counter)
    _users: int = 0

    @property
    def passed_s(self) -> float:
        """Seconds since the warm-up began."""
        return perf_counter() - self.began_s

    @cached_property
    def lots(self) -> Mapping[str, Lot]:
        """The city by lot id."""
        return {lot.lot_id: lot for lot in self.plan.lots}

    @property
    def places(self) -> Places:
        """Where people drive to now."""
        rows = self.plan.visits
        return self._places[self.plan.second(self.passed_s, rows) if rows else 0]

    @cached_property
    def _places(self) -> list[Places]:
        return [Places(self.plan.lots, row) for row in self.plan.visits or (None,)]

    def new_chance(self) -> Random:
        """Return a source of chance for the next user, by the plan's seed and its number."""
        self._users += 1
        return Random(f"{self.plan.seed}.{self._users}")  # noqa: S311 - load, no secret
