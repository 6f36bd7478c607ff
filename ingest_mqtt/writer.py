"""The one writer of lots' states: decides batches and commits them, whatever the database does."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from time import perf_counter

import asyncpg
import structlog
from prometheus_client import Histogram

from ingest_mqtt.counters import Counters
from ingest_mqtt.dead_letters import DeadLetters, Kept, expire
from ingest_mqtt.decide import decide, internal
from ingest_mqtt.effects import Outcome, Received
from ingest_mqtt.lots import Committed, Registry
from ingest_mqtt.messages import FeedTopic
from ingest_mqtt.store import commit, load_registry
from sql.engine import AdvisoryLock, Db
from sql.lot_state_store import SupersededError, load_states
from sql.partitions import maintain

log = structlog.get_logger()

MAINTENANCE = timedelta(hours=1)
BACK_OFF_S = (0.2, 5.0)
COMMAND_TIMEOUT_S = 30.0

# One message's data cannot be stored, while the database itself is well.
DATA_FAULTS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
# The database is away, or was: nothing is known of the last transaction.
DATABASE_FAULTS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # What asyncpg raises when a connection breaks between two of its own steps.
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    SupersededError,
)


class Writer:
    """A connection to the database, with the registry and the committed states as it holds them.

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
        registry: Who may report what.
        committed: Every lot's state in the database.
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
        self.registry = Registry()
        self.committed: dict[str, Committed] = {}
        self.openings = 0
        self._url = database_url
        self._retentions = event_retention, occupancy_retention
        self._counters, self._commit_seconds, self._clock = counters, commit_seconds, clock
        self._dead_letters = dead_letters
        self._dead_letter_retention = dead_letter_retention
        self._maintained_at: datetime | None = None
        self._expiring = False
        self._registry_changed = False
        self._db: Db | None = None

    async def open(self) -> Db:
        """Connect, become the only writer, load everything; waits for all of it for ever."""
        wait_s = BACK_OFF_S[0]
        while True:
            try:
                return await self._open_once()
            except DATABASE_FAULTS as error:
                log.warning("database not ready", error=type(error).__name__)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, BACK_OFF_S[1])

    async def _open_once(self) -> Db:
        self.close()
        db = self._db = await asyncpg.connect(
            self._url,
            timeout=5,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={"application_name": "ingest_mqtt", "timezone": "UTC", "jit": "off"},
        )
        while not await db.fetchval("SELECT pg_try_advisory_lock($1)", AdvisoryLock.INGESTER):
            log.info("another ingester is at work; waiting for it to end")
            await asyncio.sleep(1)
        await db.add_listener("registry", self._on_registry)
        await self._maintain(db)
        await self._dead_letters.load(db, self._clock())
        await self._load(db)
        self.openings += 1
        return db

    def close(self) -> None:
        """Leave the database at once."""
        if self._db is not None:
            self._db.terminate()
            self._db = None

    def _on_registry(self, *_: object) -> None:
        self._registry_changed = True

    async def _load(self, db: Db) -> None:
        self._registry_changed = False
        self.registry = await load_registry(db)
        self.committed = await load_states(db)
        log.info("loaded", lots=len(self.registry.lots), states=len(self.committed))

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
        """Do what is due between batches: partitions, a changed registry, a lost database."""
        while True:
            try:
                db = self._db if self._db is not None and not self._db.is_closed() else None
                db = db or await self.open()
                await self._maintain(db)
                if self._registry_changed:
                    await self._load(db)
            except DATABASE_FAULTS as error:
                log.warning("database lost", error=type(error).__name__)
                self.close()
            else:
                return

    async def write(self, batch: list[Received]) -> list[Outcome]:
        """Decide a batch and commit it, as often as it takes.

        Args:
            batch: Messages in the order they came.

        Returns:
            What was committed: one outcome, or several where a message that the database
            cannot hold had to be told from the others.
        """
        while True:
            try:
                return [await self._attempt(decide(batch, self.registry, self.committed))]
            except DATA_FAULTS as error:
                log.exception("batch not storable", messages=len(batch))
                await self._after_fault(error)
                return await self._divide(batch, error)
            except DATABASE_FAULTS as error:
                await self._after_fault(error)

    async def _attempt(self, outcome: Outcome) -> Outcome:
        db = self._db or await self.open()
        started = perf_counter()
        kept = Kept()

        async def keep(db: Db) -> None:
            nonlocal kept
            kept = await self._dead_letters.keep(db, outcome.dead_letters, self.registry)

        self.committed |= await commit(db, outcome, self.committed, keep)
        self._dead_letters.settle(kept)
        outcome.kept.update(kept.reports)
        self._commit_seconds.observe(perf_counter() - started)
        self._counters.commits += 1
        return outcome

    async def _after_fault(self, error: Exception) -> None:
        """Read everything anew: a transaction whose end was not heard of may have gone through."""
        self._counters.commit_failures += 1
        log.warning("transaction failed; trying again", error=type(error).__name__)
        await asyncio.sleep(BACK_OFF_S[0])
        await self.open()

    async def _divide(self, batch: list[Received], error: Exception) -> list[Outcome]:
        """Find the message that cannot be stored, so that it holds up no other."""
        if len(batch) > 1:
            half = len(batch) // 2
            return await self.write(batch[:half]) + await self.write(batch[half:])
        return [await self._attempt(self._refused(batch[0], error))]

    def _refused(self, message: Received, error: Exception) -> Outcome:
        outcome = Outcome()
        topic = FeedTopic.parse(message.topic) or FeedTopic("", "", "")
        outcome.join(internal(message, topic, error))
        return outcome
