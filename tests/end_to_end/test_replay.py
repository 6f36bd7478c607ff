"""Real lots and their recorded occupancy, from two files to the answers of the API."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.ingest_mqtt.running import Ingester
from tests.parking_api.serving import get, serving
from tests.servers import Broker

# Rows of the real file of Málaga's car parks, with its kinds of gaps.
CAR_PARKS = """\
lot,name,address,latitude,longitude,capacity
2,Cervantes,Calle Cervantes,36.7208633,-4.4119148,414
5,Camas,Calle Camas,36.7202072,-4.4244981,None
9,San Juan De La Cruz,Compositor Lemberg Ruiz,36.717865,-4.4332781,410
10,Pz. de la Marina,Plaza De La Marina,36.7174149,-4.4200468,256
140,El Limonar,Limonar,0.0,0.0,161
"""
RECORDING = Path("tests/simulators/data/malaga_2023-09-05.csv")


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
    log = tmp_path / "ingester.log"
    async with Ingester.running(database_url, broker.platform_ingest, log) as made:
        yield made


@pytest.fixture
async def malaga(
    ingester: Ingester, database_url: str, broker: Broker, tmp_path: Path
) -> tuple[str, ...]:
    """Import the lots while the ingester runs; give the replay's options that name the broker."""
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
        "lots": ["malaga-2", "malaga-9", "malaga-10"],
        "simulated": False,
    }
    credentials = tmp_path / "credentials.json"
    credentials.write_text(json.dumps({"gateways": [gateway]}))
    address = ("--mqtt-host", broker.host, "--mqtt-port", str(broker.port))
    return ("--credentials", str(credentials), *address)


async def replayed(database_url: str, *options: str) -> dict[str, str]:
    """Replay the recording, and give the summary's figures by name."""
    status, output = await run(database_url, "simulators", "replay", str(RECORDING), *options)
    assert status == 0, output
    lines = [line.rpartition(" ") for line in output.splitlines()]
    return {name.strip(): figure for name, _, figure in lines}


async def test_a_recording_as_it_was_is_history(malaga: tuple[str, ...], database_url: str) -> None:
    summary = await replayed(database_url, *malaga, "--speed", "0")
    # The recording's malaga-10 has 324 spaces, the register's 256: it is not believed.
    assert (summary["sent"], summary["acks applied"], summary["acks rejected"]) == ("24", "16", "8")
    async with serving(database_url) as api:
        window = {"from": "2023-09-05T08:00:00+02:00", "to": "2023-09-05T10:00:00+02:00"}
        history = await get(api, "/v1/lots/malaga-9/occupancy", step=3600, **window)
        lot = await get(api, "/v1/lots/malaga-9")
    # Worked out by hand from the file; a count holds as long as it is live: 1.5 x 900 s.
    eight: dict[int, float] = {353: 14, 343: 11, 334: 14}
    nine: dict[int, float] = {334: 8.5, 306: 12, 286: 10, 277: 10, 261: 10}
    for item, minutes_of in zip(history["items"], (eight, nine), strict=True):
        minutes = sum(minutes_of.values())
        mean = sum(free * held for free, held in minutes_of.items()) / minutes
        assert item["free_spaces"] == pytest.approx(mean, abs=0.06)
        assert item["occupancy"] == pytest.approx(1 - mean / 410, abs=1e-3)
        assert item["coverage"] == pytest.approx(minutes / 60, abs=1e-3)
        assert item["free_max"] == max(minutes_of)
    assert history["items"][0]["free_min"] == 334
    assert lot["observed_at"] == "2023-09-05T09:55:00+02:00"
    assert (lot["data_state"], lot["status"], lot["free_spaces"]) == ("unknown", "unknown", None)


async def test_a_live_recording_is_of_now(malaga: tuple[str, ...], database_url: str) -> None:
    began_at = datetime.now(UTC)
    part = ("--from", "2023-09-05T08:20", "--to", "2023-09-05T08:50")
    summary = await replayed(database_url, *malaga, "--live", "--speed", "3000", *part)
    assert summary["acks applied"] == "6"
    async with serving(database_url) as api:
        lots: dict[str, Any] = {
            lot["lot_id"]: lot for lot in (await get(api, "/v1/lots", operator="malaga"))["items"]
        }
    for lot_id, free in (("malaga-2", 203), ("malaga-9", 334)):
        lot = lots[lot_id]
        assert (lot["data_state"], lot["free_spaces"]) == ("live", free)
        observed_at = datetime.fromisoformat(lot["observed_at"])
        assert began_at < observed_at < datetime.now(UTC)
        assert lot["observed_at"].endswith("+02:00") or lot["observed_at"].endswith("+01:00")
    assert lots["malaga-10"]["data_state"] == "unknown"
