"""The boundary to the broker, in this process, with a real broker behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial

import pytest
from pydantic_core import Url

from ingest_mqtt import link as linking
from ingest_mqtt.effects import Received
from ingest_mqtt.link import Link
from ingest_mqtt.settings import IngestSettings
from tests.ingest_mqtt.running import client
from tests.polling import until
from tests.servers import Broker


class Linked:
    """A link, and what it hears."""

    def __init__(self, broker: Broker) -> None:
        user = "platform-ingest"
        url = f"mqtt://{user}:{broker.password(user)}@{broker.host}:{broker.port}"
        settings = IngestSettings(mqtt_url=Url(url), session_expiry_s=3600, receive_maximum=20)
        self.heard: list[Received] = []
        self.connects = 0
        self.fault: Exception | None = None
        self.is_full = False
        clock = partial(datetime.now, UTC)
        self.link = Link(settings, clock, self.receive, self.connected, lambda: self.is_full)

    def receive(self, message: Received) -> bool:
        if self.fault is not None:
            raise self.fault
        self.heard.append(message)
        return False

    def connected(self, *_: object) -> None:
        self.connects += 1
        if self.fault is not None and self.connects == 1:
            raise self.fault


@asynccontextmanager
async def running(linked: Linked) -> AsyncIterator[None]:
    task = asyncio.create_task(linked.link.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await linked.link.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "BACK_OFF_S", (0.05, 0.1))


@pytest.mark.parametrize("step", ["_call_socket_register_write", "_send_publish"])
@pytest.mark.parametrize("fault", [RuntimeError("in use"), ValueError(-1), OSError(9)], ids=repr)
async def test_a_fault_while_publishing_costs_the_connection_alone(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, step: str, fault: Exception
) -> None:
    linked = Linked(broker)
    async with client(broker, "platform-api", "onelot/v1/state/+") as api, running(linked):
        await until(lambda: linked.link.is_connected and linked.connects == 1, "connected")

        def broken(*_: object, **__: object) -> None:
            monkeypatch.undo()
            monkeypatch.setattr(linking, "BACK_OFF_S", (0.05, 0.1))
            raise fault

        monkeypatch.setattr(linked.link._client, step, broken)
        linked.link.publish("onelot/v1/state/a", b"1")
        await until(lambda: linked.connects == 2 and linked.link.is_connected, "connected again")
        linked.link.publish("onelot/v1/state/b", b"2")
        await until(lambda: "b" in {topic[-1] for topic, _ in api.heard}, "what is published then")


@pytest.mark.parametrize("fault", [RuntimeError(), KeyError(1)], ids=repr)
async def test_a_callback_that_raises_costs_the_connection_alone(
    broker: Broker, fault: Exception
) -> None:
    linked = Linked(broker)
    linked.fault = fault
    broker.add_users("gw-a")
    async with running(linked), client(broker, "gw-a") as gateway:
        await until(lambda: linked.connects == 2 and linked.link.is_connected, "again")
        await gateway.client.publish("onelot/v1/feeds/gw-a/a/count", b"1", qos=1)
        await until(lambda: linked.connects == 3, "the message broke it, too")
        linked.fault = None
        await until(lambda: linked.heard, "what was not confirmed comes again")


async def test_a_broker_that_does_not_read_is_waited_for(broker: Broker) -> None:
    linked = Linked(broker)
    async with running(linked):
        await until(lambda: linked.link.is_connected, "connected")
        async with asyncio.timeout(5):
            await linked.link.room()
        broker.pause()
        try:
            for number in range(100):
                linked.link.publish(f"onelot/v1/state/{number}", bytes(200_000))
            room = asyncio.create_task(linked.link.room())
            await until(linked.link._client.want_write, "it waits")
            assert not room.done()
        finally:
            broker.go_on()
        async with asyncio.timeout(20):
            await room
        assert not linked.link._client.want_write()


async def test_what_cannot_be_taken_is_not_read(broker: Broker) -> None:
    """The broker sends all that it has queued: it is read in its order, once there is room."""
    linked = Linked(broker)
    broker.add_users("gw-a")
    async with running(linked), client(broker, "gw-a") as gateway:
        await until(lambda: linked.link.is_connected, "connected")
        linked.is_full = True
        sent = [b"%d" % number for number in range(300)]
        for payload in sent:
            await gateway.client.publish("onelot/v1/feeds/gw-a/a/count", payload, qos=1)
        await asyncio.sleep(0.2)
        # One packet at most is read before it shows.
        assert len(linked.heard) <= 1
        # What we publish does not wait for what we do not read.
        linked.link.publish("onelot/v1/state/a", b"1")
        async with asyncio.timeout(5):
            await linked.link.room()
        linked.link.read_on()
        await asyncio.sleep(0.2)
        assert len(linked.heard) <= 1
        linked.is_full = False
        linked.link.read_on()
        await until(lambda: len(linked.heard) == len(sent), "the others")
    assert [message.payload for message in linked.heard] == sent
    assert linked.connects == 1
