"""The city of a test's database, in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from parking_api.city.following import FollowedCity
from parking_api.city.memory import City
from parking_api.city.queries import LotNow
from parking_api.city.states import micros
from parking_api.database import Database
from sql.engine import create_pool


@asynccontextmanager
async def pooled(url: str) -> AsyncIterator[Database]:
    async with create_pool(url, application="tests", max_size=2) as pool:
        yield Database(pool, 5.0)


async def loaded(url: str) -> City:
    """Return the city as it is in the database now."""
    async with pooled(url) as database:
        city = FollowedCity(database)
        await city.read()
    return city


def lot_at(city: City, lot_id: str, now: datetime) -> LotNow:
    return city.table.at(city.table.by_id[lot_id], micros(now))
