"""What prices something at a time: versions, their effects, and their suspensions. No I/O.

A suspension is a window of a version. One that begins before the version comes into force holds
back its start: what its tariff priced before goes on. One that begins later makes new quotes null:
whoever enters within the window gets no price, and never another one. Windows are kept, so that a
quote is reproduced whenever it is asked for again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pricing


@dataclass(frozen=True)
class Version:
    """A published tariff version."""

    tariff_id: str
    version: int
    content_hash: str
    tariff: pricing.Tariff


@dataclass(frozen=True)
class Suspension:
    """A window of a version, from `starts_at` to before `ends_at`; None for no end yet."""

    starts_at: datetime
    ends_at: datetime | None
    reason: str

    def covers(self, at: datetime) -> bool:
        """Whether `at` is within the window."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True)
class Effect:
    """What a version prices, from `starts_at` to before `ends_at`.

    Attributes:
        starts_at: From when on.
        ends_at: Exclusive; cut short where a later version takes over. None for no end.
        planned_to: The end that was meant at publication; None for none.
        version: The version.
        suspensions: The version's windows, in order.
    """

    starts_at: datetime
    ends_at: datetime | None
    planned_to: datetime | None
    version: Version
    suspensions: tuple[Suspension, ...] = ()

    def covers(self, at: datetime) -> bool:
        """Whether it is in force at `at`, or would be, were it not held back."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)

    def suspension_at(self, at: datetime) -> Suspension | None:
        """Return the window in which it gives no price at `at`; None where it gives one."""
        for window in self.suspensions:
            if window.starts_at >= self.starts_at and window.covers(at):
                return window
        return None

    def is_held_back(self, at: datetime) -> bool:
        """Whether a window that began before its start holds it back at `at`."""
        return any(
            window.starts_at < self.starts_at and window.covers(at) for window in self.suspensions
        )

    def turns(self) -> Iterable[datetime]:
        """Return when it takes over: at its start, and where it was held back, when that ends."""
        yield self.starts_at
        for window in self.suspensions:
            if window.starts_at < self.starts_at and window.ends_at:
                yield max(self.starts_at, window.ends_at)

    def precedes(self, other: "Effect", at: datetime) -> bool:
        """Whether it ended where `other` of its tariff starts, and was meant to last to `at`."""
        return (
            self.version.tariff_id == other.version.tariff_id
            and self.ends_at == other.starts_at
            and (self.planned_to is None or at < self.planned_to)
        )


def in_force(effects: Sequence[Effect] | None, at: datetime) -> Effect | None:
    """Return which effect of one target is in force at `at`, suspended or not; None for none.

    Args:
        effects: By their starts.
        at: When.
    """
    for effect in reversed(effects or ()):
        if effect.covers(at):
            return _unless_held_back(effects or (), effect, at)
    return None


def _unless_held_back(effects: Sequence[Effect], effect: Effect, at: datetime) -> Effect | None:
    if not effect.is_held_back(at):
        return effect
    for before in reversed(effects):
        if before.precedes(effect, at):
            return _unless_held_back(effects, before, at)
    return None
