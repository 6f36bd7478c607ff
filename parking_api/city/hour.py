"""The last hour of the platform, by minutes, in the memory of each process.

Each process looks for itself. They agree nearly: minutes are those of the clock, and what is
observed is counted between heartbeats of the ingester, whose times the database has.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from parking_api import background
from parking_api.city import queries
from parking_api.city.memory import City
from parking_api.city.models import LastHour
from parking_api.city.queries import Applied
from parking_api.city.states import micros
from parking_api.city.table import LIVE
from parking_api.database import Database
from parking_api.errors import DatabaseAwayError, QueryTooLongError
from parking_api.metrics import Metrics

MINUTE: Final = timedelta(minutes=1)
MINUTES: Final = 60
# Heartbeats of the ingester come as often.
LOOK_EVERY_S: Final = 5.0
RESTARTS: Final = "onelot_run_restarts_total"
# Reports come in bursts; what is told as present is the mean over so long.
PRESENT: Final = timedelta(seconds=30)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Look:
    """What is seen at one time; None where it is not known.

    Attributes:
        commit_age_s: Age of the newest commit, seconds.
        lots_live: Lots with live data.
        restarts: Of all programs, since they were started together.
        applied: What the ingester had applied at its newest heartbeat.
    """

    commit_age_s: float | None
    lots_live: int | None
    restarts: int | None
    applied: Applied | None


@dataclass
class Minute:
    """What was seen in a minute."""

    commit_ages_s: list[float] = field(default_factory=list)
    lots_live: list[int] = field(default_factory=list)
    restarts: int | None = None
    observations: int = 0
    covered_s: float = 0.0

    @property
    def observations_per_s(self) -> float | None:
        """The mean of the minute; None where no heartbeat came."""
        return round(self.observations / self.covered_s, 1) if self.covered_s else None


@dataclass(frozen=True)
class _Stretch:
    """Between two heartbeats."""

    until: datetime
    observations: int
    seconds: float


@dataclass
class Hour:
    """Keeps what each look has seen, by minutes of the clock.

    Attributes:
        minutes: By the instant of their start; an hour at most is kept.
    """

    minutes: dict[datetime, Minute] = field(default_factory=dict)
    _applied: Applied | None = None
    _restarts: int | None = None
    _stretches: deque[_Stretch] = field(default_factory=deque)

    def note(self, at: datetime, look: Look) -> None:
        """Note a look at a time; later ones come later."""
        begins = _minute(at)
        if begins not in self.minutes:
            self.minutes[begins] = Minute()
            for old in [each for each in self.minutes if each <= begins - MINUTES * MINUTE]:
                del self.minutes[old]
        minute = self.minutes[begins]
        if look.commit_age_s is not None:
            minute.commit_ages_s.append(round(look.commit_age_s, 1))
        if look.lots_live is not None:
            minute.lots_live.append(look.lots_live)
        self._note_restarts(minute, look.restarts)
        self._note_applied(minute, look.applied)

    def _note_restarts(self, minute: Minute, restarts: int | None) -> None:
        if restarts is None:
            return
        # They begin at 0 again with what runs the programs.
        since = restarts - (self._restarts if self._restarts is not None else restarts)
        minute.restarts = (minute.restarts or 0) + max(0, since)
        self._restarts = restarts

    def _note_applied(self, minute: Minute, applied: Applied | None) -> None:
        before = self._applied
        if applied is None or applied.observations is None or applied.heartbeat_at is None:
            return
        self._applied = applied
        if before is None or before.observations is None or before.heartbeat_at is None:
            return
        seconds = (applied.heartbeat_at - before.heartbeat_at).total_seconds()
        if seconds <= 0:
            return
        # An ingester that was started anew begins at 0.
        is_new = applied.observations < before.observations
        observations = applied.observations - (0 if is_new else before.observations)
        minute.observations += observations
        minute.covered_s += seconds
        self._stretches.append(_Stretch(applied.heartbeat_at, observations, seconds))
        while applied.heartbeat_at - self._stretches[0].until >= PRESENT:
            self._stretches.popleft()

    def observations_per_s(self, at: datetime) -> float | None:
        """Return how many observations a second were applied lately; None where none are known."""
        lately = [each for each in self._stretches if at - each.until < PRESENT]
        seconds = sum(each.seconds for each in lately)
        return round(sum(each.observations for each in lately) / seconds, 1) if seconds else None

    def answer(self, at: datetime) -> LastHour:
        """Return the hour that ends with the running minute."""
        begins = _minute(at) - (MINUTES - 1) * MINUTE
        hour = [self.minutes.get(begins + nth * MINUTE, Minute()) for nth in range(MINUTES)]
        return LastHour(
            begins_at=begins,
            step_s=int(MINUTE.total_seconds()),
            commit_age_s=[max(each.commit_ages_s, default=None) for each in hour],
            observations_per_s=[each.observations_per_s for each in hour],
            lots_live=[min(each.lots_live, default=None) for each in hour],
            restarts=[each.restarts for each in hour],
        )


def _minute(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)


@asynccontextmanager
async def kept_hour(
    hour: Hour,
    city: City,
    database: Database,
    metrics: Metrics,
    clock: Callable[[], datetime],
) -> AsyncIterator[Hour]:
    """Look at intervals until the context ends."""
    task = asyncio.create_task(_keep(hour, city, database, metrics, clock))
    try:
        yield hour
    finally:
        await background.stop([task])


async def _keep(
    hour: Hour,
    city: City,
    database: Database,
    metrics: Metrics,
    clock: Callable[[], datetime],
) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            applied = await _applied(database)
            hour.note(clock(), look(city, clock(), metrics.run_samples(RESTARTS), applied))
        except Exception:
            # Whatever it is, the next look is taken.
            log.exception("the last hour could not be noted")


async def _applied(database: Database) -> Applied | None:
    try:
        async with database.connection() as db:
            return await queries.applied(db)
    except (DatabaseAwayError, QueryTooLongError):
        return None


def look(
    city: City, at: datetime, restarts: Mapping[str, float] | None, applied: Applied | None
) -> Look:
    """Return what is seen of the platform at a time."""
    return Look(
        commit_age_s=max(0.0, (at - city.as_of).total_seconds()) if city.as_of else None,
        lots_live=live_lots(city, at) if city.table.lots else None,
        restarts=None if restarts is None else int(sum(restarts.values())),
        applied=applied,
    )


def live_lots(city: City, at: datetime) -> int:
    """Return how many lots have live data at a time."""
    data_states, _ = city.table.statuses(micros(at))
    return int((data_states == LIVE).sum())
