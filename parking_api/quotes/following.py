"""Keeps the copy of the tariffs up to date: the database notifies at each change of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Final

from fastapi import Depends, Request

from parking_api import background
from parking_api.database import Database
from parking_api.errors import DatabaseAwayError
from parking_api.quotes import queries
from parking_api.quotes.prices import Prices, read_situations
from parking_api.resources import Deps
from sql.engine import transaction

# An import writes in several statements: notifications within this time are one change.
SETTLE_S: Final = 0.02


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
        async with self._one_reader:
            async with (
                self._database.job() as db,
                transaction(db, isolation="repeatable_read", readonly=True) as snapshot,
            ):
                known = self.known
                versions = await queries.versions(
                    snapshot,
                    known_tariffs=[tariff_id for tariff_id, _ in known],
                    known_versions=[version for _, version in known],
                )
                effects = await queries.effects(snapshot)
                suspensions = await queries.suspensions(snapshot)
                lots = await read_situations(snapshot)
                calendar = await queries.calendar(snapshot)
            self.load(versions, effects, suspensions, lots, calendar)


# Depends on `Deps`, which refuses the request while there are no prices yet.
async def _prices(request: Request, _: Deps) -> FollowedPrices:
    prices: FollowedPrices = request.app.state.prices
    return prices


CurrentPrices = Annotated[FollowedPrices, Depends(_prices)]


@asynccontextmanager
async def followed_prices(
    prices: FollowedPrices, reload_interval_s: float
) -> AsyncIterator[FollowedPrices]:
    """Load the tariffs as soon as the database is there; keep them up to date until the end.

    Args:
        prices: Read at once, at each change, and at intervals.
        reload_interval_s: Longest that the copy is not read again, seconds.
    """
    task = asyncio.create_task(prices.reading.repeat(reload_interval_s, prices.changed))
    try:
        yield prices
    finally:
        await background.stop([task])
