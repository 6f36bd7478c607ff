"""The city and its prices in memory as the API has them, for programs that are no API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from parking_api.city.following import FollowedCity, followed_city
from parking_api.database import Database
from parking_api.quotes.following import FollowedPrices, followed_prices
from sql.engine import create_pool

# Nothing is read again while a benchmark runs.
_RELOAD_S: Final = 3600.0


@asynccontextmanager
async def memory(url: str) -> AsyncIterator[tuple[FollowedCity, FollowedPrices]]:
    """Read the city and the prices once, and keep them until the block ends.

    Args:
        url: The database's.
    """
    pool = create_pool(url, application="peer", min_size=0, max_size=2, command_timeout_s=30.0)
    async with pool:
        database = Database(pool, 5.0)
        async with (
            followed_prices(FollowedPrices(database), _RELOAD_S) as prices,
            followed_city(FollowedCity(database), _RELOAD_S, None) as city,
        ):
            for each in (prices, city):
                await each.reading.done()
            yield city, prices
