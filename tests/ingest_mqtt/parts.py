"""Parts of the ingester on a database, without a broker."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry

from deploy import postgres
from ingest_mqtt.counters import Counters, commit_histogram
from ingest_mqtt.dead_letters import DeadLetters, Kept
from ingest_mqtt.decide import decide
from ingest_mqtt.effects import Received
from ingest_mqtt.lots import Registry
from ingest_mqtt.store import commit, load_registry
from ingest_mqtt.writer import Writer
from sql.engine import Db, Transaction
from tests.ingest_mqtt.builders import AT
from tests.servers import as_role

KEY = b"a key of tests"


class Keeper:
    """Refuses what is given to it, as the ingester does."""

    def __init__(self, db: Db, registry: Registry, box: DeadLetters) -> None:
        self.db, self.registry, self.box = db, registry, box

    async def refuse(self, batch: Sequence[Received]) -> dict[str, int]:
        outcome, kept = decide(batch, self.registry, {}), Kept()

        async def keep(db: Transaction) -> None:
            nonlocal kept
            kept = await self.box.keep(db, outcome.dead_letters, self.registry)

        await commit(self.db, outcome, {}, keep)
        self.box.settle(kept)
        assert sum(kept.reports.values()) == outcome.results.get("rejected", 0)
        return {how: number for how, number in kept.reports.items() if number}


async def keeper(db: Db, quota: int = 100) -> Keeper:
    """One whose gateways may keep `quota` messages each."""
    box = DeadLetters(KEY, quota)
    await box.load(db, AT)
    return Keeper(db, await load_registry(db), box)


@asynccontextmanager
async def open_writer(database_url: str, clock: Callable[[], datetime]) -> AsyncIterator[Writer]:
    """A writer that is open."""
    made = Writer(
        as_role(database_url, postgres.INGESTER),
        event_retention=timedelta(days=30),
        occupancy_retention=timedelta(days=400),
        counters=Counters(),
        commit_seconds=commit_histogram(CollectorRegistry()),
        dead_letters=DeadLetters(KEY, 10_000),
        dead_letter_retention=timedelta(days=30),
        clock=clock,
    )
    await made.open()
    try:
        yield made
    finally:
        made.close()
