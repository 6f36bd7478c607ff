"""What the users of one Locust process share."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from gevent.event import Event

from load_tests.catalogue import Lot, Places
from load_tests.plan import Plan


@dataclass
class World:
    """The plan, the city, and how far the start has come.

    Attributes:
        plan: What to do.
        ready: Set when every operator's lots have told their state: then the load begins.
        stopping: Set when operators shall send no more.
        counted: Things to tell in the end, by name.
    """

    plan: Plan
    ready: Event = field(default_factory=Event)
    stopping: Event = field(default_factory=Event)
    counted: Counter[str] = field(default_factory=Counter)
    _made: int = 0

    @cached_property
    def lots(self) -> Mapping[str, Lot]:
        """The city by lot id."""
        return {lot.lot_id: lot for lot in self.plan.lots}

    @cached_property
    def places(self) -> Places:
        """Where people drive to."""
        return Places(self.plan.lots)

    def new_user(self) -> tuple[int, Random]:
        """Number a user, from 0, and give it a chance of its own."""
        number = self._made
        self._made += 1
        return number, Random(f"{self.plan.seed}.{number}")  # noqa: S311 - load, no secret
