"""`/v1/stream` over HTTP, from real processes: who is kept, who is cut off, and how it ends."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from http.client import HTTPConnection

import httpx

from tests.parking_api.builders import Builder
from tests.parking_api.city.messages import ingester, state
from tests.parking_api.lots.events import HEARTBEAT, Event, events, soon
from tests.parking_api.processes import Api, serving
from tests.parking_api.serving import is_problem, samples
from tests.polling import until
from tests.servers import Broker

PLACE = "/v1/stream?lon=120.38&lat=36.06"
READERS = ("onelot_api_stream_readers", frozenset[tuple[str, str]]())


@asynccontextmanager
async def reading(api: Api, path: str = PLACE) -> AsyncIterator[AsyncIterator[Event]]:
    """The events that a reader of its own connection gets."""
    async with (
        httpx.AsyncClient(base_url=api.url, timeout=30) as client,
        client.stream("GET", path) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield events(answer.aiter_bytes())


async def readers(api: Api) -> float:
    async with httpx.AsyncClient(base_url=api.url) as client:
        return (await samples(client))[READERS]


async def publish(broker: Broker, built: Builder, free_spaces: int) -> None:
    built.version += 1
    payload = state("a", built.version, free_spaces, built)
    async with ingester(broker) as sender:
        await sender.publish("onelot/v1/state/a", payload, qos=1, retain=True)


async def told(reader: AsyncIterator[Event]) -> int | None:
    """Free spaces of the one lot, by the next event."""
    while (event := await soon(reader)).kind == HEARTBEAT:
        pass
    (lot,) = event.data["lots"] if event.kind == "lots" else [event.data]
    free_spaces: int | None = lot["free_spaces"]
    return free_spaces


async def test_readers_of_every_process_are_told(
    database_url: str, built: Builder, broker: Broker
) -> None:
    await built.lot("a")
    await built.report("a", 3)
    settings = {"API_WORKERS": "2", "API_MQTT_URL": broker.platform_api}
    with serving(database_url, **settings) as api:
        # Which process answers is the system's choice.
        for free_spaces in (4, 5):
            async with reading(api) as one, reading(api) as other, reading(api) as third:
                before = {await told(each) for each in (one, other, third)}
                await publish(broker, built, free_spaces)
                after = [await told(each) for each in (one, other, third)]
            assert before == {free_spaces - 1}
            assert after == [free_spaces] * 3


async def test_bounds_on_connections_leave_a_healthy_stream_alone(
    database_url: str, built: Builder, broker: Broker
) -> None:
    await built.lot("a")
    await built.report("a", 3)
    bounds = {"HEAD_TIMEOUT_S": "1", "BODY_TIMEOUT_S": "1", "IDLE_TIMEOUT_S": "1"}
    settings = {f"API_{name}": value for name, value in bounds.items()}
    settings |= {"API_MAX_CONNECTIONS": "10", "API_MQTT_URL": broker.platform_api}
    with serving(database_url, **settings) as api:
        async with reading(api) as reader:
            assert await told(reader) == 3
            # A flood of half-sent requests gives way and is late; then an idle connection ends.
            for _ in range(3):
                half = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(20)]
                for each in half:
                    each.sendall(b"GET /healthz HTTP/1.1\r\n")
                await asyncio.to_thread(_until_closed, half)
            await publish(broker, built, 4)
            assert await told(reader) == 4


def _until_closed(connections: list[socket.socket]) -> None:
    for each in connections:
        each.settimeout(30)
        try:
            while each.recv(4096):
                pass
        except ConnectionResetError:
            pass
        each.close()


async def test_more_readers_than_are_taken_are_refused(database_url: str, built: Builder) -> None:
    await built.lot("a")
    with serving(database_url, API_MAX_READERS="2") as api:
        async with reading(api) as one, reading(api) as other:
            await told(one), await told(other)
            async with httpx.AsyncClient(base_url=api.url) as client:
                answer = await client.get(PLACE)
                assert answer.status_code == 503
                assert answer.json()["type"] == "urn:onelot:problem:too-many-readers"
                assert answer.headers["retry-after"] == "1"
                assert is_problem(await client.get("/v1/stream"), 422)
            assert await readers(api) == 2
        # Who leaves makes room.
        await until(lambda: _has_readers(api, 0))
        async with reading(api) as reader:
            assert await told(reader) is None


async def _has_readers(api: Api, number: int) -> bool:
    return await readers(api) == number


async def test_a_slow_reader_is_cut_off(big_city_url: str) -> None:
    everything = "/v1/stream?bbox=118,35,122,38"
    with serving(big_city_url, API_BODY_TIMEOUT_S="1") as api:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with closing(slow):
            slow.connect(("127.0.0.1", api.port))
            slow.sendall(f"GET {everything} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await until(lambda: _has_readers(api, 1))
            async with reading(api, everything) as reader:
                # Of 1,670, forty are retired.
                assert len((await soon(reader)).lots) == 1630
                await until(lambda: _has_readers(api, 1))
                await asyncio.to_thread(_until_closed, [slow])
                assert await _has_readers(api, 1)


async def test_streams_end_well_when_a_worker_is_replaced(
    database_url: str, built: Builder
) -> None:
    await built.lot("a")
    await built.report("a", 3)
    with serving(database_url) as api:
        async with reading(api) as reader:
            assert await told(reader) == 3
            await asyncio.to_thread(api.reload)
            # Its end is that of a whole answer: httpx would complain.
            assert [event async for event in reader if event.kind != HEARTBEAT] == []
        async with reading(api) as reader:
            assert await told(reader) == 3


async def test_streams_end_well_at_shutdown(database_url: str, built: Builder) -> None:
    await built.lot("a")
    await built.report("a", 3)
    with serving(database_url) as api:
        async with reading(api) as reader:
            assert await told(reader) == 3
            api.process.send_signal(signal.SIGTERM)
            assert [event async for event in reader if event.kind != HEARTBEAT] == []
        assert await asyncio.to_thread(api.process.wait, 10) == 0


def test_the_connection_ends_with_the_stream(database_url: str, built: Builder) -> None:
    """Who comes back must reach the worker that has taken over."""
    del built
    with serving(database_url) as api:
        connection = HTTPConnection("127.0.0.1", api.port, timeout=30)
        with closing(connection):
            connection.request("GET", PLACE)
            answer = connection.getresponse()
            assert answer.getheader("connection") == "close"
            api.reload()
            text = answer.read()
    assert text.endswith(b'event: lots\ndata: {"lots":[],"as_of":null}\n\n')
