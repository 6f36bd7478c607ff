"""What runs in the background ends, whatever happens to its clean-up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import asyncpg
import pytest

from parking_api import background
from parking_api.city.following import FollowedCity, followed_city
from parking_api.database import Database
from parking_api.listening import listening
from tests.parking_api.builders import Builder
from tests.polling import until, until_somebody_waits


@asynccontextmanager
async def ailing(url: str, well: int = 0) -> AsyncIterator[Database]:
    """A database whose connections cannot be given back in time, but for the first `well` times."""
    times = count(1)

    async def reset(_connection: object) -> None:
        if next(times) > well:
            await asyncio.sleep(60)

    async with asyncpg.create_pool(url, min_size=1, max_size=2, reset=reset) as pool:
        yield Database(pool, 0.2)


async def test_a_task_that_carries_on_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "STOP_AGAIN_S", 0.01)
    cancellations = 0

    async def stubborn() -> None:
        nonlocal cancellations
        while cancellations < 3:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancellations += 1

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await background.stop([task])

    assert task.done()
    assert cancellations == 3


async def test_an_answer_outlives_its_connection(database_url: str) -> None:
    async with ailing(database_url) as database, database.connection() as connection:
        found = await connection.fetchval("SELECT 1")
    assert found == 1


async def test_a_cancellation_outlives_its_connection(database_url: str, built: Builder) -> None:
    async def ask(database: Database) -> None:
        async with database.connection() as connection:
            await connection.fetch("SELECT * FROM lot")

    async with ailing(database_url) as database, locked(built, "lot"):
        task = asyncio.create_task(ask(database))
        await until_somebody_waits(built.connection)
        task.cancel()
        await asyncio.wait([task], timeout=5)

    assert task.cancelled()


async def test_the_city_is_no_longer_followed_once_it_is_not_needed(
    database_url: str, built: Builder
) -> None:
    async with asyncio.timeout(5), ailing(database_url, well=1) as database:
        async with followed_city(FollowedCity(database), 0.01, None) as city:
            await built.lot("a")
            lock: Any = built.connection.transaction()
            await lock.start()
            await built.connection.execute("LOCK TABLE lot")
            await until_somebody_waits(built.connection)
        await lock.rollback()
        assert len(city.table.lots) <= 1


@asynccontextmanager
async def locked(built: Builder, table: str) -> AsyncIterator[None]:
    """Keep everybody else from a table."""
    async with built.connection.transaction():
        await built.connection.execute(f"LOCK TABLE {table}")
        yield


async def test_who_reads_first_is_told_of_what_comes_then(
    database_url: str, built: Builder
) -> None:
    # Were it told that anything may have changed after that, it would read everything twice.
    told: list[str] = []
    async with asyncpg.create_pool(database_url, min_size=0) as pool:
        channels = {"registration": [told.append]}
        async with listening(database_url, Database(pool, 5.0), channels, lambda: None):
            assert told == [""]
            await built.lot("a")
            await until(lambda: "lot" in told, "the change")
