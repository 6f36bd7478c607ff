"""The API of a test: its own database with a few lots, and a client that speaks to it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import pytest
import structlog

from parking_api.command_line import connected
from parking_api.importing.service import import_city
from parking_api.operators.credentials import Places
from sql.engine import Db
from tests.parking_api.builders import Builder, build_big_city
from tests.parking_api.bureau import Bureau, Clock, person
from tests.parking_api.feeding import People
from tests.parking_api.import_files import SILENT, write_city
from tests.parking_api.people.keys import keyed
from tests.parking_api.recorded.city import pin
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
def big_city_at() -> datetime:
    """The instant at which the big city stands still."""
    return datetime.now(UTC)


@pytest.fixture(scope="session")
async def big_city_url(databases: Databases, big_city_at: datetime) -> AsyncIterator[str]:
    """A database of 1,670 lots and their bays, to be read only."""
    url = await databases.create()
    connection = await asyncpg.connect(databases.owner_url(url.rpartition("/")[2]))
    await build_big_city(connection)
    await pin(connection, big_city_at)
    await connection.close()
    yield url
    await databases.drop(url)


@pytest.fixture(scope="session")
async def big_api(big_city_url: str, big_city_at: datetime) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API over the big city."""
    async with serving(big_city_url, lambda: big_city_at, reads_again=False) as client:
        yield client


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Db]:
    """A connection as the programs have it, by the role `onelot_app`."""
    async with connected(database_url, "test") as opened:
        yield opened


@pytest.fixture
async def small_city(db: Db, tmp_path: Path) -> Db:
    """A connection to a database that the small city was imported into."""
    directory = write_city(tmp_path / "city")
    await import_city(db, directory, at=datetime(2026, 11, 22, tzinfo=UTC), steps=SILENT)
    return db


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Where credentials go."""
    (tmp_path / "broker").mkdir()
    return Places(tmp_path / "credentials.json", tmp_path / "broker")


@pytest.fixture
async def people(database_url: str, built: Builder) -> People:
    """Somebody of operations, and the operator op-a, each with a key."""
    del built
    return People(
        await keyed(database_url, "li", "operations"),
        await keyed(database_url, "zhao", "operator", operator_id="op-a"),
    )


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
