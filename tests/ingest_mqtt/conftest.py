"""The ingester of a test: a database with three lots, and the program."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from sql.engine import Db
from tests.ingest_mqtt.builders import CITY
from tests.ingest_mqtt.running import Bench, Ingester
from tests.servers import Broker


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Db]:
    """A connection to a database with the three lots of `CITY`."""
    connection = await asyncpg.connect(database_url, server_settings={"timezone": "UTC"})
    await connection.execute(CITY)
    yield connection
    await connection.close()


@pytest.fixture
async def ingester(
    db: Db, database_url: str, broker: Broker, tmp_path: Path
) -> AsyncIterator[Ingester]:
    """The program between a real broker and the three lots; gateway gw-a may log in."""
    del db
    broker.add_users("gw-a")
    log = tmp_path / "ingester.log"
    async with Ingester.running(database_url, broker.platform_ingest, log) as made:
        yield made


@pytest.fixture
def bench(db: Db, database_url: str, broker: Broker, tmp_path: Path) -> Bench:
    """The same with settings of the test's own; gateway gw-b may log in too."""
    del db
    broker.add_users("gw-a", "gw-b")
    return Bench(database_url, broker, tmp_path / "ingester.log")
