"""Real lots and their recorded occupancy, from two files to the answers of the API."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ingest_mqtt.running import Ingester, until
from tests.parking_api.serving import get, serving
from tests.servers import Broker

# In the shape of the real file of Málaga's car parks, with its kinds of gaps.
CAR_PARKS = """\
lot,name,address,latitude,longitude,capacity
1,Salitre,Calle Salitre,36.7132,-4.4277,342
5,Camas,Calle Camas,36.7202,-4.4245,None
140,El Limonar,,36.7236,-4.4215,161
"""
RECORDING = Path("tests/simulators/data/malaga_excerpt.csv")


async def run(database_url: str, *command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, env={**os.environ, "DATABASE_URL": database_url},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


@pytest.fixture
async def ingester(database_url: str, broker: Broker, tmp_path: Path) -> AsyncIterator[Ingester]:
    broker.add_users("gw-malaga")
    made = Ingester(database_url, broker.platform_ingest, tmp_path / "ingester.log")
    await made.start()
    await until(lambda: "connected to broker" in made.log.read_text(), "the ingester")
    yield made
    await made.stop()


async def test_recorded_occupancy_comes_out_at_the_api(
    ingester: Ingester, database_url: str, broker: Broker, tmp_path: Path
) -> None:
    # The lots are imported while the ingester runs: it must neither be waited for nor miss them.
    del ingester
    lots = tmp_path / "car_parks.csv"
    lots.write_text(CAR_PARKS)
    status, output = await run(
        database_url, "parking_api", "import", str(lots), "--skip-bad", "--id-prefix", "malaga-",
        "--operator", "malaga", "--gateway", "gw-malaga", "--timezone", "Europe/Madrid",
    )  # fmt: skip
    assert status == 0, output
    assert "capacity: is missing" in output

    gateway = {
        "username": "gw-malaga",
        "password": broker.password("gw-malaga"),
        "lots": ["malaga-1", "malaga-140"],
        "simulated": False,
    }
    credentials = tmp_path / "credentials.json"
    credentials.write_text(json.dumps({"gateways": [gateway]}))
    status, output = await run(
        database_url, "simulators", "replay", str(RECORDING), "--speed", "0",
        "--credentials", str(credentials), "--mqtt-host", broker.host,
        "--mqtt-port", str(broker.port),
    )  # fmt: skip
    assert status == 0, output
    assert "unparseable" in output

    async with serving(database_url) as api:
        found = await get(api, "/v1/nearest", lon=-4.4277, lat=36.7132, radius_m=5000, min_free=0)
        assert [(lot["lot_id"], lot["free_spaces"], lot["status"]) for lot in found["lots"]] == [
            # What was recorded years ago is history: nobody is told that it is so now.
            ("malaga-1", None, "unknown"),
            ("malaga-140", None, "unknown"),
        ]
        assert found["lots"][0]["observed_at"] == "2023-01-01T02:36:00+01:00"
        history = await get(
            api,
            "/v1/lots/malaga-1/occupancy",
            **{"from": "2023-01-01T00:05:00+01:00", "to": "2023-01-01T00:30:00+01:00"},
        )
    # 201 free from 00:05 and 199 from 00:11, which holds as long as it is live: 1.5 x 900 s.
    assert [(i["free_spaces"], i["free_last"], i["coverage"]) for i in history["items"]] == [
        (201.0, 201, 1.0),
        (199.4, 199, 1.0),
        (199.0, 199, 1.0),
        (199.0, 199, 1.0),
        (199.0, 199, 1.0),
    ]
    assert history["items"][0]["occupancy"] == pytest.approx(1 - 201 / 342, abs=1e-3)
