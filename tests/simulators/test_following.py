"""A fleet beside a platform over real HTTP: it waits for prices, follows closures, and stops."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from simulators import platform as following
from simulators.fleet import CITY_TIMEZONE, Fleet, FleetSettings, simulated_lots
from simulators.platform import Asking
from tests.polling import until
from tests.simulators.conftest import OpenBroker
from tests.simulators.platform_double import PlatformDouble
from tests.simulators.test_fleet import GATEWAYS, LOTS

START = datetime(2026, 11, 24, 10, tzinfo=CITY_TIMEZONE)
BASE = date(2026, 11, 20)


class Server:
    """Answers `/v1/lots` with `closed`, or with a price for each lot, once `lets_go` is set."""

    def __init__(self) -> None:
        self.closed: list[str] = []
        self.lets_go = asyncio.Event()
        self.asked = 0
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        await self.lets_go.wait()
        if b"status=closed" in head:
            items: list[Any] = [{"lot_id": lot, "closed_until": None} for lot in self.closed]
        else:
            items = [{"lot_id": lot.lot_id, "quote": {"total_minor": 500}} for lot in LOTS]
        body = json.dumps({"items": items, "next": None}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ")
        writer.write(str(len(body)).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield made
    made.lets_go.set()
    listening.close()


def fleet(broker: OpenBroker, asking: Asking, status: Path) -> Fleet:
    lots, gateways = simulated_lots(LOTS, GATEWAYS)
    settings = FleetSettings(speed=600.0, start_at=START, asking=asking, status_file=status)
    return Fleet(broker.address, lots, gateways, settings)


def read(status: Path) -> dict[str, Any]:
    return json.loads(status.read_bytes()) if status.exists() else {}


async def test_the_first_step_knows_prices_and_closures_are_followed(
    open_broker: OpenBroker,
    platform: PlatformDouble,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del platform
    monkeypatch.setattr(following, "CLOSURES_S", 0.1)
    status = tmp_path / "simulator.json"
    city = fleet(open_broker, Asking(server.url, BASE), status)
    stop = asyncio.Event()
    task = asyncio.create_task(city.run(stop))
    await until(lambda: server.asked > 0)
    assert city.world.simulated_s == START.timestamp()
    assert not status.exists()
    server.lets_go.set()
    await until(lambda: read(status).get("priced") == len(LOTS))
    position = next(n for n, lot in enumerate(city.world.lots) if lot.capacity == 46)
    assert city.world.free_spaces()[position] < 46
    server.closed = [city.world.lots[position].lot_id]
    await until(lambda: city.world.free_spaces()[position] == 46)
    await until(lambda: read(status).get("closed") == 1)
    told = read(status)
    assert told["platform"] == "heard"
    assert told["price_changed"] == 0
    assert told["sent_out"] > 0
    stop.set()
    await asyncio.wait_for(task, 5)


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_platform_that_says_nothing_stops_nothing(
    open_broker: OpenBroker, server: Server, tmp_path: Path, *, is_there: bool
) -> None:
    status = tmp_path / "simulator.json"
    asking = Asking(server.url if is_there else "http://127.0.0.1:1", BASE if is_there else None)
    city = fleet(open_broker, asking, status)
    stop = asyncio.Event()
    task = asyncio.create_task(city.run(stop))
    if is_there:  # it never answers
        await until(lambda: server.asked > 0)
    else:
        await until(lambda: "closures: " in str(read(status).get("platform")))
        assert read(status)["behind_s"] == 0
    stop.set()
    await asyncio.wait_for(task, 5)
