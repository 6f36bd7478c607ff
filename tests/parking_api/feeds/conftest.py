"""What gateways that post need: lots, a broker and an ingester."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from sql.engine import Db
from tests.ingest_mqtt.builders import CITY
from tests.ingest_mqtt.running import Bench, Ingester
from tests.parking_api.feeds.posting import LOGIN, set_password
from tests.servers import Broker


@pytest.fixture
async def city(database_url: str) -> AsyncIterator[Db]:
    """Three lots; gateway gw-a has a password."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(CITY)
    await set_password(connection, LOGIN[1])
    yield connection
    await connection.close()


@pytest.fixture
def bench(city: Db, database_url: str, broker: Broker, tmp_path: Path) -> Bench:
    """An ingester whose settings the test chooses."""
    del city
    broker.add_users("gw-a")
    return Bench(database_url, broker, tmp_path / "ingester.log")


@pytest.fixture
async def ingester(bench: Bench) -> AsyncIterator[Ingester]:
    async with bench.running() as made:
        yield made
