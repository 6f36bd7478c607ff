"""The API of a test: its own database with a few lots, and a client that speaks to it."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
import structlog

from tests.parking_api.builders import Builder, build_big_city
from tests.parking_api.bureau import Bureau, Clock, person
from tests.parking_api.serving import serving
from tests.servers import Databases


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    """Keep thousands of requests out of a failing test's output."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


@pytest.fixture
async def built(owner_url: str) -> AsyncIterator[Builder]:
    """Writes lots into the test's database; as its owner, who may also lock and analyze."""
    connection = await asyncpg.connect(owner_url, server_settings={"timezone": "UTC"})
    builder = Builder(connection)
    await builder.prepare()
    yield builder
    await connection.close()


@pytest.fixture
async def api(database_url: str, built: Builder) -> AsyncIterator[httpx.AsyncClient]:  # noqa: ARG001
    """A client of the API over the test's database, which it reads at each request."""
    async with serving(database_url) as client:
        yield client


@pytest.fixture(scope="session")
async def big_city_url(databases: Databases) -> AsyncIterator[str]:
    """A database of 1,670 lots and their bays, to be read only."""
    url = await databases.create()
    connection = await asyncpg.connect(databases.owner_url(url.rpartition("/")[2]))
    await build_big_city(connection)
    await connection.close()
    yield url
    await databases.drop(url)


@pytest.fixture(scope="session")
async def big_api(big_city_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API over the big city."""
    async with serving(big_city_url) as client:
        yield client


@pytest.fixture
async def bureau(database_url: str, built: Builder) -> AsyncIterator[Bureau]:
    """The bureau: a drafter and an approver, at a clock that stands still; zone z-1, a few lots."""
    await built.lot("street", lot_type="on_street")
    await built.lot("garage", lot_type="underground")
    await built.lot("outside", lon=121.0, lat=37.0, lot_type="on_street")
    drafter = await person(database_url, "wang", "bureau_drafter")
    approver = await person(database_url, "li", "bureau_approver")
    clock = Clock()
    async with serving(database_url, clock) as client:
        yield Bureau(client, clock, drafter, approver)
