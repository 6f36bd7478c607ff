"""A gateway on a real broker: what it says at which moment, and that nothing is lost."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiomqtt
import orjson
import pytest
from structlog.testing import capture_logs

from simulators.feeds import Report, count_report
from simulators.gateway import Gateway
from simulators.outbox import ACK_TIMEOUT_S, Outbox
from simulators.registry import Credentials
from tests.polling import until
from tests.simulators.conftest import OpenBroker
from tests.simulators.platform_double import Feed, PlatformDouble

NOW = "2026-11-22T09:30:00+08:00"
EPOCH = 1_764_000_000


@dataclass
class Bench:
    """A gateway of two counting lots, and a clock that can jump."""

    broker: OpenBroker
    ahead_s: float = 0.0
    free: dict[str, int] = field(default_factory=lambda: {"lot-a": 10, "lot-b": 20})

    def __post_init__(self) -> None:
        rng = random.Random(1)
        self.outboxes = {
            lot: Outbox(lambda: EPOCH, self.whole(lot), rng, merging=False) for lot in self.free
        }
        credentials = Credentials("gw-1", "secret", tuple(self.free), simulated=True)
        self.gateway = Gateway(
            self.broker.address, credentials, self.outboxes, rng=rng, clock=self.clock
        )

    def clock(self) -> float:
        return time.monotonic() + self.ahead_s

    def whole(self, lot: str) -> Callable[[], Report]:
        return lambda: count_report(NOW, self.free[lot], 50)

    def change(self, lot: str, free: int) -> None:
        self.free[lot] = free
        self.gateway.add(lot, count_report(NOW, free, 50))

    def pending(self) -> int:
        return sum(len(outbox) for outbox in self.outboxes.values())


@asynccontextmanager
async def running(broker: OpenBroker) -> AsyncIterator[Bench]:
    bench = Bench(broker)
    stop = asyncio.Event()
    task = asyncio.create_task(bench.gateway.run(stop))
    yield bench
    stop.set()
    async with asyncio.timeout(5):
        await task


async def test_it_reports_whole_after_connecting_then_changes(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    async with running(open_broker) as bench:
        await until(lambda: len(platform.feeds) == 2)
        bench.change("lot-a", 9)
        await until(lambda: bench.gateway.acks["applied"] == 3)
        assert bench.pending() == 0
    numbers = [(feed.number, feed.body["free"]) for feed in platform.of("lot-a")]
    assert numbers == [((EPOCH, 1), 10), ((EPOCH, 2), 9)]
    await until(lambda: len(platform.statuses) == 2)
    assert platform.statuses == [("gw-1", "online"), ("gw-1", "offline")]


async def test_its_last_will_says_offline(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    async with running(open_broker) as bench:
        await until(bench.gateway.connected.is_set)
        other = aiomqtt.Client(
            "127.0.0.1",
            open_broker.address.port,
            identifier="gw-1",
            protocol=aiomqtt.ProtocolVersion.V5,
        )
        async with other:  # the same client id: the broker drops the gateway without its farewell
            await until(lambda: ("gw-1", "offline") in platform.statuses)
        await until(lambda: bench.gateway.connections == 2)
    assert platform.statuses[:2] == [("gw-1", "online"), ("gw-1", "offline")]


async def test_a_lost_ack_is_made_good_after_the_time_out(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    platform.answer = lambda _feed: None
    async with running(open_broker) as bench:
        await until(lambda: len(platform.feeds) == 2)
        platform.answer = platform.rules.take
        bench.ahead_s = 2 * ACK_TIMEOUT_S
        bench.change("lot-b", 19)
        await until(lambda: len(platform.feeds) > 2 and bench.pending() == 0)
    assert [feed.number[1] for feed in platform.of("lot-a")] == [1, 1, 2]
    assert platform.rules.lots["lot-a"].free == 10
    assert platform.rules.lots["lot-b"].free == 19


async def test_superseded_is_followed_by_the_whole_state(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    def answer(feed: Feed) -> dict[str, object] | None:
        if feed.lot == "lot-a" and feed.number[1] == 2:
            return None  # kept back until the next one is applied
        return platform.rules.take(feed)

    async with running(open_broker) as bench:
        await until(lambda: len(platform.feeds) == 2)
        platform.answer = answer
        bench.change("lot-a", 9)
        bench.change("lot-a", 8)
        await until(lambda: platform.rules.lots["lot-a"].last == (EPOCH, 3))
        platform.answer = platform.rules.take
        bench.ahead_s = 2 * ACK_TIMEOUT_S
        bench.gateway.add_whole_state("lot-b")
        await until(lambda: bench.gateway.acks["superseded"] == 1 and bench.pending() == 0)
    assert platform.rules.lots["lot-a"].last > (EPOCH, 3)
    assert platform.rules.lots["lot-a"].free == 8


async def test_deferred_goes_again_after_its_time(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    def answer(feed: Feed) -> dict[str, object]:
        platform.answer = platform.rules.take
        epoch, seq = feed.number
        return {"epoch": epoch, "seq": seq, "result": "deferred", "retry_s": 0.2}

    platform.answer = answer
    async with running(open_broker) as bench:
        began_s = time.monotonic()
        await until(lambda: len(platform.feeds) == 3 and bench.pending() == 0)
        assert time.monotonic() - began_s >= 0.2
    assert bench.gateway.acks == {"deferred": 1, "applied": 2}


async def test_a_refusal_is_logged_once(open_broker: OpenBroker, platform: PlatformDouble) -> None:
    def answer(feed: Feed) -> dict[str, object]:
        epoch, seq = feed.number
        return {"epoch": epoch, "seq": seq, "result": "rejected", "reason": "unknown lot"}

    platform.answer = answer
    with capture_logs() as logs:
        async with running(open_broker) as bench:
            await until(lambda: bench.gateway.acks["rejected"] == 2)
            bench.change("lot-a", 9)
            await until(lambda: bench.gateway.acks["rejected"] == 3)
            assert bench.pending() == 0
    refused = [(line["lot"], line["reason"]) for line in logs if line["event"] == "report refused"]
    assert sorted(refused) == [("lot-a", "unknown lot"), ("lot-b", "unknown lot")]


async def test_acks_that_answer_nothing_do_no_harm(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    async with (
        running(open_broker) as bench,
        aiomqtt.Client("127.0.0.1", open_broker.address.port) as client,
    ):
        await until(lambda: bench.gateway.acks["applied"] == 2)
        unread = b'{"epoch": null, "seq": null, "result": "rejected", "reason": "malformed"}'
        strays = [b"{", unread]
        strays += [orjson.dumps({"epoch": EPOCH, "seq": 99, "result": "applied"})]
        for stray in strays:
            await client.publish("onelot/v1/acks/gw-1/lot-a", stray, qos=1)
        await client.publish("onelot/v1/acks/gw-1/lot-z", strays[2], qos=1)
        bench.change("lot-a", 9)
        await until(lambda: platform.rules.lots["lot-a"].free == 9)
        await until(lambda: bench.pending() == 0)
    assert bench.gateway.acks == {"applied": 3}


async def test_a_message_that_could_not_be_read_is_told_and_sent_again(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    def answer(_feed: Feed) -> dict[str, object]:
        return {"epoch": None, "seq": None, "result": "rejected", "reason": "malformed"}

    platform.answer = answer
    with capture_logs() as logs:
        async with running(open_broker) as bench:
            await until(lambda: len([line for line in logs if "refused" in line["event"]]) == 2)
            assert bench.pending() == 2
            platform.answer = platform.rules.take
            bench.ahead_s = 2 * ACK_TIMEOUT_S
            bench.gateway.add_whole_state("lot-a")
            await until(lambda: bench.pending() == 0)
    assert platform.rules.lots["lot-a"].free == 10
    refused = [(line["lot"], line["reason"]) for line in logs if line["event"] == "report refused"]
    assert sorted(refused) == [("lot-a", "malformed"), ("lot-b", "malformed")]


async def test_a_gateway_outlives_a_fault_of_its_own(
    open_broker: OpenBroker, platform: PlatformDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = aiomqtt.Client.publish
    faults = [RuntimeError("the socket went while it was written to")]

    async def failing(client: aiomqtt.Client, topic: str, *args: object, **kwargs: object) -> None:
        if topic.endswith("/count") and faults:
            raise faults.pop()
        await publish(client, topic, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(aiomqtt.Client, "publish", failing)
    async with running(open_broker) as bench:
        await until(lambda: bench.gateway.connections == 2 and bench.pending() == 0)
        assert bench.gateway.last_error is None
    assert platform.rules.lots["lot-a"].free == 10
    assert platform.rules.lots["lot-b"].free == 20


async def test_many_reports_keep_their_order_and_their_bound(
    open_broker: OpenBroker, platform: PlatformDouble
) -> None:
    async with running(open_broker) as bench:
        await until(bench.gateway.connected.is_set)
        for n in range(300):
            bench.change("lot-a", n % 50)
        await until(lambda: platform.feeds and bench.pending() == 0)
    seqs = [feed.number[1] for feed in platform.of("lot-a")]
    assert seqs == list(range(1, len(seqs) + 1))
    assert bench.gateway.acks == {"applied": len(platform.feeds)}


@pytest.mark.parametrize("changes", [1, 5])
async def test_what_happens_while_the_broker_is_away_arrives_after(
    open_broker: OpenBroker, changes: int
) -> None:
    first = PlatformDouble(open_broker.address.port)
    async with AsyncExitStack() as stack:
        async with answering(first):
            bench = await stack.enter_async_context(running(open_broker))
            await until(lambda: bench.gateway.acks["applied"] == 2)
        open_broker.stop()
        await until(lambda: not bench.gateway.connected.is_set())
        for n in range(changes):
            bench.change("lot-a", n)
        assert bench.gateway.last_error
        open_broker.start()
        second = PlatformDouble(open_broker.address.port)
        second.rules = first.rules
        second.answer = first.rules.take
        async with answering(second):
            await until(lambda: bench.gateway.connections == 2 and bench.pending() == 0)
            assert [feed.body["free"] for feed in second.of("lot-a")][:changes] == [*range(changes)]
            assert first.rules.lots["lot-a"].free == changes - 1
            assert len(second.of("lot-b")) == 1, "the whole state, though nothing changed"


@asynccontextmanager
async def answering(platform: PlatformDouble) -> AsyncIterator[None]:
    task = asyncio.create_task(platform.run())
    await asyncio.wait_for(platform.ready.wait(), 10)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
