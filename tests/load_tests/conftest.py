import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import httpx
import pytest

from deploy import postgres
from deploy.ports import LOOPBACK, any_free
from load_tests.catalogue import read_catalogue
from load_tests.stages import Session
from load_tests.target import Target
from simulators import registry
from tests.ingest_mqtt.running import UNHURRIED
from tests.servers import Broker, Databases, api_environment, as_role

# Two operators: one whose gateway the load plays, one for the marked changes.
CITY = """
INSERT INTO operator VALUES ('op-a', '甲', 'A'), ('op-try', '试', 'Try');
INSERT INTO gateway (gateway_id, operator_id, simulated)
VALUES ('gw-a', 'op-a', true), ('gw-try', 'op-try', false);
INSERT INTO lot (
    lot_id, operator_id, gateway_id, name_zh, name_en, lot_type, reporting, report_interval_s,
    capacity, geog
)
SELECT 'bays-' || n, 'op-a', 'gw-a', '位', 'Bays', 'surface', 'bays', 900, 40,
    st_point(120.38 + n * 0.001, 36.06, 4326)
FROM generate_series(1, 8) AS n
UNION ALL
VALUES
    ('gates', 'op-a', 'gw-a', '闸', 'Gates', 'surface', 'count', 900, 50,
        st_point(120.39, 36.06, 4326)::geography),
    ('try', 'op-try', 'gw-try', '试', 'Try', 'surface', 'bays', 900, 40,
        st_point(120.379, 36.06, 4326)::geography);
INSERT INTO space
SELECT lot_id, n, 0, CASE WHEN n <= 4 THEN 'ev' ELSE 'standard' END, geog
FROM lot, generate_series(1, capacity) AS n
WHERE reporting = 'bays';
"""
DEADLINE_S = 30.0


@asynccontextmanager
async def program(
    module: list[str], environment: Mapping[str, str], url: str, log: Path
) -> AsyncIterator[int]:
    """One program of the platform, from when `url` answers; gives its process id."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *module, env={**os.environ, **environment}, stdout=output,
            stderr=output,
        )  # fmt: skip
        try:
            await answers(url, process, log)
            yield process.pid
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), DEADLINE_S)


async def answers(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(DEADLINE_S), httpx.AsyncClient(trust_env=False) as client:
        while True:
            assert process.returncode is None, f"see {log}"
            try:
                (await client.get(url)).raise_for_status()
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
            else:
                return


@pytest.fixture
async def session(platform: Session, tmp_path: Path) -> AsyncIterator[Session]:
    """The module's platform, with reports of the test's own."""
    target = replace(platform.target, directory=tmp_path)
    yield replace(platform, target=target, reports=tmp_path)
    # Gateways number anew by the second at which they start: the next ones start in a later one.
    await asyncio.sleep(1 - time.time() % 1)


@pytest.fixture(scope="module")
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """A database of the module's own."""
    url = await databases.create()
    yield url
    await databases.drop(url)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of the module's own."""
    made = Broker(tmp_path_factory.mktemp("broker") / "broker", any_free())
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
async def platform(
    database_url: str, broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Session]:
    """Ten lots between a real broker, ingester, database and API."""
    directory = tmp_path_factory.mktemp("platform")
    connection = await asyncpg.connect(database_url)
    await connection.execute(CITY)
    await connection.close()
    broker.add_users("gw-a", "gw-try")
    metrics_port, http_port = any_free(), any_free()
    metrics, http = f"http://{LOOPBACK}:{metrics_port}/metrics", f"http://{LOOPBACK}:{http_port}"
    ingesting = {
        "DATABASE_URL": as_role(database_url, postgres.INGESTER),
        **UNHURRIED,
        "INGEST_MQTT_URL": broker.platform_ingest,
    }
    serving = {
        **api_environment(database_url),
        "API_MQTT_URL": broker.platform_api,
        "API_PUSH_URL": broker.platform_push,
        "API_PORT": str(http_port),
    }
    ingester = program(
        ["ingest_mqtt"],
        {**ingesting, "INGEST_METRICS_PORT": str(metrics_port)},
        metrics,
        directory / "ingester.log",
    )
    api = program(["parking_api", "serve"], serving, f"{http}/healthz", directory / "api.log")
    async with ingester as ingester_pid, api as api_pid:
        lots = await asyncio.to_thread(read_catalogue, http)
        gateways = tuple(
            registry.Credentials(
                username=name,
                password=broker.password(name),
                lots=tuple(lot.lot_id for lot in lots if lot.operator_id == f"op-{name[3:]}"),
                simulated=name == "gw-a",
            )
            for name in ("gw-a", "gw-try")
        )
        processes = {"ingester": ingester_pid, "api": api_pid}
        yield Session(
            target=Target(
                http,
                registry.Broker(broker.host, broker.port),
                database_url,
                processes,
                gateways,
                directory,
                metrics,
            ),
            lots=lots,
            reports=directory,
            drives_all=True,
            seed=1,
            warm_up_s=0.5,
        )
