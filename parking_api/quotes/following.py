"""Keeps the copy of the tariffs up to date: the database notifies at each change of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Final

import structlog
from fastapi import Depends, Request

from parking_api import background
from parking_api.database import Database
from parking_api.errors import DatabaseAwayError
from parking_api.quotes import queries
from parking_api.quotes.prices import Prices
from parking_api.resources import Deps
from sql.engine import connect, transaction
from sql.faults import FAULTS

CHANNEL: Final = "tariffs"
# An import writes in several statements: notifications within this time are one change.
SETTLE_S: Final = 0.02

log = structlog.get_logger(__name__)


class FollowedPrices(Prices):
    """The copy of the tariffs, and its reading from the database."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._one_reader = asyncio.Lock()
        self.changed = asyncio.Event()
        self.reading = background.Reading("tariffs", self._follow)

    async def _follow(self) -> None:
        if self.changed.is_set():
            await asyncio.sleep(SETTLE_S)
        self.changed.clear()
        await self.read()

    async def reload(self) -> None:
        """Read everything again, so that the next quote knows of every commit until now.

        Where the database is away, the copy stays as it is: this is for a change that has been
        committed, which is no failure then.
        """
        with suppress(DatabaseAwayError):
            await self.read()

    async def read(self) -> None:
        """Read everything.

        Raises:
            DatabaseAwayError: The database is away; the copy stays as it is.
        """
        async with self._one_reader, self._database.connection() as db:
            async with transaction(db, isolation="repeatable_read", readonly=True):
                versions = await queries.versions(db)
                effects = await queries.effects(db)
                lots = await queries.lots(db)
                calendar = await queries.calendar(db)
            self.load(versions, effects, lots, calendar)


# Whoever asks for prices is told, too, where there are none yet.
async def _prices(request: Request, _: Deps) -> FollowedPrices:
    prices: FollowedPrices = request.app.state.prices
    return prices


CurrentPrices = Annotated[FollowedPrices, Depends(_prices)]


@asynccontextmanager
async def followed_prices(
    database: Database, database_url: str, reload_interval_s: float, changed: asyncio.Event
) -> AsyncIterator[FollowedPrices]:
    """Load the tariffs as soon as the database is there; keep them up to date until the end.

    Args:
        database: Read at once, at each change, and at intervals.
        database_url: For a connection of its own, which listens.
        reload_interval_s: Longest that the copy is not read again, seconds.
        changed: Set, too, when the database tells of a change.
    """
    prices = FollowedPrices(database)
    tasks = [
        asyncio.create_task(_listen(database_url, [prices.changed, changed])),
        asyncio.create_task(prices.reading.repeat(reload_interval_s, prices.changed)),
    ]
    try:
        await prices.reading.first_try()
        yield prices
    finally:
        await background.stop(tasks)


async def _listen(url: str, changed: Sequence[asyncio.Event]) -> None:
    while True:
        with suppress(*FAULTS):
            await _listen_once(url, changed)
        log.warning("tariffs not listened for")
        await asyncio.sleep(background.AGAIN_S)


async def _listen_once(url: str, changed: Sequence[asyncio.Event]) -> None:
    lost = asyncio.Event()
    connection = await connect(url, "onelot-api-listener", timeout_s=background.PATIENCE_S)
    try:
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, lambda *_: _set(changed))
        # What changed while nobody listened.
        _set(changed)
        await lost.wait()
    finally:
        await connection.close(timeout=1.0)


def _set(events: Sequence[asyncio.Event]) -> None:
    for event in events:
        event.set()
