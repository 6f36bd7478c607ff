"""The boundary to the broker, in this process, with a real broker behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from ingest_mqtt import link as linking
from ingest_mqtt.link import Broker as Where
from ingest_mqtt.link import Delivery, Link
from ingest_mqtt.wire import HEARTBEAT
from tests.ingest_mqtt.running import client
from tests.polling import until
from tests.servers import Broker


class Linked:
    """A link, and what it hears."""

    def __init__(self, broker: Broker) -> None:
        user = "platform-ingest"
        where = Where(broker.host, broker.port, user, broker.password(user), 3600, 20)
        self.heard: list[Delivery] = []
        self.connects = 0
        self.fault: Exception | None = None
        self.link = Link(where, self.receive, self.connected)

    def receive(self, delivery: Delivery) -> bool:
        if self.fault is not None:
            raise self.fault
        self.heard.append(delivery)
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
async def test_a_fault_while_publishing_costs_the_connection_and_no_message(
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
        linked.link.publish("onelot/v1/state/b", b"2")
        await until(lambda: linked.connects == 2, "connected again")
        await until(lambda: {topic[-1] for topic, _ in api.heard} == {"a", "b"}, "both")


@pytest.mark.parametrize("fault", [RuntimeError(), KeyError(1)], ids=repr)
async def test_a_callback_that_raises_costs_the_connection_alone(
    broker: Broker, fault: Exception
) -> None:
    linked = Linked(broker)
    linked.fault = fault
    async with running(linked):
        await until(lambda: linked.connects == 2 and linked.link.is_connected, "again")
        linked.link.publish(HEARTBEAT, b"1", qos=1)
        await until(lambda: linked.connects == 3, "the message broke it, too")
        linked.fault = None
        await until(lambda: linked.heard, "what was not confirmed comes again")


async def test_what_waits_for_the_broker_is_bounded(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linking, "MOST_UNSENT", 50)
    linked = Linked(broker)
    async with running(linked):
        await until(lambda: linked.link.is_connected, "connected")
        broker.stop()
        await until(lambda: not linked.link.is_connected, "the broker is gone")
        for number in range(50):
            linked.link.publish(f"onelot/v1/state/{number}", b"x")
        await asyncio.wait_for(linked.link.room(), timeout=1)
        linked.link.publish("onelot/v1/state/last", b"x")
        room = asyncio.create_task(linked.link.room())
        await asyncio.sleep(0)
        assert not room.done()
        broker.start()
        await asyncio.wait_for(room, timeout=20)
    assert not linked.link._unsent
