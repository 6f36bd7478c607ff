"""The only writer of lots' states: decides batches and commits them, across database faults."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic, perf_counter

import structlog
from prometheus_client import Histogram

from ingest_mqtt import queries, replay
from ingest_mqtt.breaker import Breaker, StoppedError
from ingest_mqtt.counters import Counters
from ingest_mqtt.dead_letters import DeadLetters, Kept, expire
from ingest_mqtt.decide import decide, internal
from ingest_mqtt.effects import Outcome, Received
from ingest_mqtt.known import Known
from ingest_mqtt.lots import Registry
from ingest_mqtt.store import INGESTER, commit
from ingest_mqtt.wire import FeedTopic
from sql.engine import AdvisoryLock, Db, Transaction, connect, transaction
from sql.faults import is_of_data
from sql.lot_state_store import SupersededError
from sql.partitions import maintain

log = structlog.get_logger()

MAINTENANCE = timedelta(hours=1)
BACK_OFF_S = (0.2, 1.0)
COMMAND_TIMEOUT_S = 30.0


@dataclass(slots=True)
class Written:
    """What became of a batch.

    Attributes:
        outcomes: What was committed: one, or several where a message that the database cannot
            store had to be separated from the others.
        left: The messages at the batch's end that were not, because we stopped.
        stopped: Why; see `ingest_mqtt.breaker`.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    left: list[Received] = field(default_factory=list)
    stopped: str | None = None


class Writer:
    """Writes over one connection, with a copy of the registry and of the committed states.

    Args:
        database_url: `postgresql://...`.
        event_retention: How long single changes are kept.
        occupancy_retention: How long occupancy in steps is kept.
        counters: Takes commits and failures.
        commit_seconds: Takes the length of each transaction.
        dead_letters: Keeps refused messages.
        dead_letter_retention: How long they are kept.
        clock: The platform's clock, aware.

    Attributes:
        known: Who may report what, and every lot's state in the database.
        openings: How often the database has been (re)opened and all of this read anew.
    """

    def __init__(
        self,
        database_url: str,
        *,
        event_retention: timedelta,
        occupancy_retention: timedelta,
        counters: Counters,
        commit_seconds: Histogram,
        dead_letters: DeadLetters,
        dead_letter_retention: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self.known = Known()
        self.openings = 0
        self._url = database_url
        self._retentions = event_retention, occupancy_retention
        self._counters, self._commit_seconds, self._clock = counters, commit_seconds, clock
        self._dead_letters = dead_letters
        self._dead_letter_retention = dead_letter_retention
        self._maintained_at: datetime | None = None
        self._expiring = False
        # Some may have been requested before the start.
        self._replay_requested = True
        self._breaker = Breaker()
        self._noted: str | None = None
        self._db: Db | None = None

    async def open(self) -> Db:
        """Connect, become the only writer and load everything; wait as long as it takes."""
        wait_s = BACK_OFF_S[0]
        while True:
            try:
                return await self._open_once()
            except Exception as error:  # noqa: BLE001 - whatever it is, the city must come up again
                log.warning("database not ready", error=type(error).__name__)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, BACK_OFF_S[1])

    async def _open_once(self) -> Db:
        self.close()
        db = self._db = await connect(self._url, "ingest_mqtt", command_timeout_s=COMMAND_TIMEOUT_S)
        while not await db.fetchval("SELECT pg_try_advisory_lock($1)", AdvisoryLock.INGESTER):
            log.info("another ingester is at work; waiting for it to end")
            await asyncio.sleep(1)
        await db.add_listener("registry", self.known.note)
        await db.add_listener(replay.CHANNEL, self._on_replay)
        await self._maintain(db)
        await self._dead_letters.load(db, self._clock())
        await self.known.read(db)
        await queries.stop(db, INGESTER, self._breaker.stopped)
        self.openings += 1
        return db

    def close(self) -> None:
        """Close the connection at once."""
        if self._db is not None:
            self._db.terminate()
            self._db = None

    def _on_replay(self, *_: object) -> None:
        self._replay_requested = True

    async def _maintain(self, db: Db) -> None:
        now = self._clock()
        if self._expiring:
            # A few at a time, so that feeds never wait for long.
            self._expiring = await expire(db, now, self._dead_letter_retention)
        if self._maintained_at is not None and now - self._maintained_at < MAINTENANCE:
            return
        events, occupancy = self._retentions
        made, dropped = await maintain(
            db, now, event_retention=events, occupancy_retention=occupancy
        )
        self._maintained_at, self._expiring = now, True
        log.info("partitions maintained", made=made, dropped=dropped)

    async def tend(self) -> None:
        """Do the work due between batches: partitions, a changed registry, a lost database."""
        while True:
            try:
                db = self._db if self._db is not None and not self._db.is_closed() else None
                db = db or await self.open()
                await self._maintain(db)
                if self.known.is_due:
                    await self.known.read_due(db)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is read anew
                log.warning("database lost", error=type(error).__name__)
                self.close()
                await asyncio.sleep(BACK_OFF_S[0])
            else:
                return

    async def take_again(self) -> list[Outcome]:
        """Replay some of the requested messages, each in a transaction of its own.

        Returns:
            What they changed; the next call replays the rest.
        """
        outcomes: list[Outcome] = []
        if not self._replay_requested or self._breaker.stopped or self._db is None:
            return outcomes
        try:
            for one in await queries.next_replays(self._db, replay.AT_ONCE):
                # One by one: those before a fault are committed, and count.
                outcomes.append(await self._replay_one(self._db, one))  # noqa: PERF401
        except Exception as error:  # noqa: BLE001 - still requested; it must stop no feeds
            log.warning("a replay was cut off", error=type(error).__name__)
            self.known.read_again()
            await self.tend()
        else:
            self._replay_requested = len(outcomes) == replay.AT_ONCE
        return outcomes

    async def _replay_one(self, db: Db, one: queries.Replay) -> Outcome:
        outcome, result = replay.decide_again(one, self.known.registry, self.known.committed)

        async def note(within: Transaction) -> None:
            await queries.end_replay(within, one.dead_letter_id, self._clock(), result)

        try:
            self.known.committed |= await commit(db, outcome, self.known.committed, note)
        except Exception as error:
            if not is_of_data(error, db):
                raise
            log.exception("a replayed message could not be stored", exc_info=error)
            outcome, result = Outcome(), replay.REFUSED
            async with transaction(db) as within:
                await note(within)
        self._counters.replayed[result.partition(":")[0]] += 1
        log.info("replayed", dead_letter=one.dead_letter_id, result=result)
        return outcome

    async def write(self, batch: list[Received]) -> Written:
        """Decide a batch and commit it, as often as it takes.

        Args:
            batch: Messages in the order they came.
        """
        written = Written()
        # A stack: what is to be written next is last.
        parts = [_Part(batch)] if batch else []
        while parts:
            part = parts.pop()
            try:
                outcome = await self._attempt(part)
            except StoppedError as stop:
                written.stopped = stop.reason
                written.left = [m for one in (part, *reversed(parts)) for m in one.messages]
                break
            except Exception as error:  # noqa: BLE001 - sorted by what it says of the database
                parts += await self._after_fault(part, error)
                continue
            written.outcomes.append(outcome)
            if rest := part.messages[outcome.messages :]:
                parts.append(_Part(rest))
        await self._note_stopped(written.stopped, len(written.left))
        return written

    async def _attempt(self, part: "_Part") -> Outcome:
        db = self._db or await self.open()
        registry = self.known.registry
        outcome = part.refused(registry) or decide(part.messages, registry, self.known.committed)
        self._breaker.check(outcome, registry.operators, monotonic())
        started = perf_counter()
        kept = Kept()

        async def keep(db: Transaction) -> None:
            nonlocal kept
            kept = await self._dead_letters.keep(db, outcome.dead_letters, self.known.registry)

        self.known.committed |= await commit(
            db, outcome, self.known.committed, keep, observations=self._counters.observations
        )
        self._dead_letters.settle(kept)
        outcome.kept.update(kept.reports)
        self._commit_seconds.observe(perf_counter() - started)
        self._counters.commits += 1
        return outcome

    async def _after_fault(self, part: "_Part", error: Exception) -> list["_Part"]:
        """Prepare another attempt; only a database that is away makes messages wait.

        Returns:
            What is to be attempted, the first last.
        """
        if isinstance(error, SupersededError):
            # Somebody else has changed these lots, such as an import; the connection is well.
            self.known.read_again(error.lot_ids)
            await self.tend()
            return [part]
        self._counters.commit_failures += 1
        if is_of_data(error, self._db):
            return part.narrowed(error)
        log.warning("transaction failed; trying again", error=type(error).__name__)
        # The transaction may have gone through: everything is read anew.
        await asyncio.sleep(BACK_OFF_S[0])
        await self.open()
        return [part]

    async def _note_stopped(self, reason: str | None, waiting: int) -> None:
        """Report in the log and for `/readyz` that messages wait, or no longer wait."""
        was = self._noted
        if reason is None and was is None:
            return
        if reason is None:
            log.info("messages are taken again", stopped=was)
        else:
            log.error("NO MESSAGES ARE TAKEN", reason=reason, waiting=waiting)
        self._noted = self._breaker.stopped = reason
        try:
            if self._db is not None:
                await queries.stop(self._db, INGESTER, reason)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must stop nothing else
            # It is written when the database is opened next.
            log.warning("database lost", error=type(error).__name__)
            self.close()


@dataclass(frozen=True, slots=True)
class _Part:
    """Messages of a batch that are written in one transaction.

    Attributes:
        messages: In their order.
        fault: Why the only message could not be stored: it is refused instead.
        is_kept: Whether the refused message can be stored as a dead letter at least.
    """

    messages: list[Received]
    fault: Exception | None = None
    is_kept: bool = True

    def refused(self, registry: Registry) -> Outcome | None:
        """Return the outcome of the message that could not be stored; None where there is none."""
        if self.fault is None:
            return None
        message, outcome = self.messages[0], Outcome()
        topic = FeedTopic.parse(message.topic) or FeedTopic("", "", "")
        outcome.join(internal(message, topic, self.fault, registry))
        if not self.is_kept:
            outcome.dead_letters.clear()
            outcome.kept["over_quota"] = int(message.is_report)
        return outcome

    def narrowed(self, error: Exception) -> list["_Part"]:
        """Split the part to find the message that cannot be stored.

        Returns:
            Parts in place of this one, the first last.
        """
        if len(self.messages) > 1:
            half = len(self.messages) // 2
            return [_Part(self.messages[half:]), _Part(self.messages[:half])]
        if self.fault is None:
            return [_Part(self.messages, error)]
        if self.is_kept:
            log.error("a refused message could not be kept", exc_info=error)
            return [_Part(self.messages, self.fault, is_kept=False)]
        raise error
