"""The ingester between a real broker and database, under senders that mean no good."""

import asyncio
import json
from collections import Counter
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from load_tests.catalogue import Lot
from load_tests.fuzz_sender import Sender
from load_tests.plan import Mix, Plan
from simulators import registry
from sql.engine import Db
from tests.ingest_mqtt.running import UNHURRIED, Bench, client, totals
from tests.polling import DEADLINE_S, until
from tests.servers import Broker

COUNT = "onelot/v1/feeds/gw-a/gates/count"


def body(seq: int, **fields: Any) -> bytes:
    at = "2026-11-22T09:30:00+08:00"
    return json.dumps({"epoch": 100, "seq": seq, "observed_at": at, **fields}).encode()


def add_up(counters: dict[str, float]) -> bool:
    results = totals(counters, "messages", "result")
    letters = totals(counters, "dead_letters", "kept")
    received = counters["ingest_received_total"]
    return received == sum(results.values()) + counters["ingest_waiting"] and sum(
        letters.values()
    ) == results.get("rejected", 0)


async def test_over_its_rate_a_gateway_is_told_when_to_send_again(bench: Bench) -> None:
    # Two lots: 40 messages at once for each would be less than the hundred that all may send.
    async with (
        bench.running() as ingester,
        client(bench.broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway,
    ):
        for seq in range(1, 151):
            await gateway.client.publish(COUNT, body(seq, free=seq % 50), qos=1)
        await until(lambda: len(gateway.heard) >= 150, "every ack")
        acks = [json.loads(payload) for _, payload in gateway.heard]
        assert [ack["result"] for ack in acks[:100]] == ["applied"] * 100
        deferred = [ack for ack in acks if ack["result"] == "deferred"]
        # Some tokens have grown again meanwhile.
        assert 20 <= len(deferred) <= 50
        assert {ack["retry_s"] for ack in deferred} == {3}
        assert all(ack["epoch"] == 100 and ack["seq"] > 100 for ack in deferred)
        counters = await asyncio.to_thread(ingester.counters)
        assert totals(counters, "messages", "result") == Counter(ack["result"] for ack in acks)
        assert add_up(counters)


def flood(broker: Broker, number: int) -> None:
    """Publish as fast as a client can, without a look at the acks."""
    hostile = Client(CallbackAPIVersion.VERSION2, client_id="gw-a")
    hostile.username_pw_set("gw-a", broker.password("gw-a"))
    hostile.max_inflight_messages_set(number)
    hostile.connect(broker.host, broker.port)
    hostile.loop_start()
    sent = [hostile.publish(COUNT, body(seq, free=seq % 50), qos=1) for seq in range(1, number + 1)]
    sent[-1].wait_for_publish(DEADLINE_S)
    hostile.disconnect()
    hostile.loop_stop()


async def test_far_over_its_rate_messages_are_dropped_and_others_go_on(bench: Bench) -> None:
    number = 6000
    async with (
        bench.running() as ingester,
        client(bench.broker, "gw-b", "onelot/v1/acks/gw-b/+") as other,
    ):
        flooding = asyncio.create_task(asyncio.to_thread(flood, bench.broker, number))
        looks = 0
        while not flooding.done():
            assert add_up(await asyncio.to_thread(ingester.counters))
            looks += 1
        await flooding
        assert looks > 1
        topic = "onelot/v1/feeds/gw-b/other/spaces"
        await other.client.publish(topic, body(1, free=[1]), qos=1)
        await until(lambda: other.results == ["applied"], "the other's ack")
        async with asyncio.timeout(DEADLINE_S):
            while True:
                counters = await asyncio.to_thread(ingester.counters)
                assert add_up(counters)
                if counters["ingest_received_total"] == number + 1:
                    break
        results = totals(counters, "messages", "result")
        # A hundred at once, a thousand before they are dropped; some tokens grow meanwhile.
        assert results["applied"] >= 100
        assert results["deferred"] >= 900
        assert results["dropped"] >= 1000


async def test_what_is_refused_is_counted_by_what_is_kept_of_it(bench: Bench, db: Db) -> None:
    async with (
        bench.running(**UNHURRIED, INGEST_DEAD_LETTER_QUOTA="20") as ingester,
        client(bench.broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway,
    ):
        for seq in [*range(1, 31), *range(1, 11)]:
            await gateway.client.publish(COUNT, body(seq, free=99), qos=1)
        await gateway.client.publish("onelot/v1/feeds/gw-a/gates/status", b"?", qos=1)
        await until(lambda: len(gateway.heard) == 41, "every ack")
        counters = await asyncio.to_thread(ingester.counters)
        kept = {"first": 20, "repeat": 10, "over_quota": 10}
        assert totals(counters, "dead_letters", "kept") == kept
        assert add_up(counters)
    assert await db.fetchval("SELECT count(*) FROM dead_letter") == 20
    assert await db.fetchval("SELECT sum(times) FROM dead_letter") == 30


async def test_broken_messages_at_any_qos_are_answered_once_each(bench: Bench, db: Db) -> None:
    lots = (
        Lot("bays", "op-a", "bays", 12, "", 120.0, 36.0),
        Lot("gates", "op-a", "count", 50, "", 120.0, 36.0),
    )
    gateway = registry.Credentials("gw-a", bench.broker.password("gw-a"), ("bays", "gates"))
    mix, at = Mix(0.0, 0.0, 1000.0, 1, 0.0), registry.Broker(bench.broker.host, bench.broker.port)
    plan = Plan("", at, mix, 0.0, 0.0, lots, (gateway,), seed=7)
    async with bench.running(**UNHURRIED) as ingester:
        sender = Sender(plan)
        await asyncio.to_thread(sender.send, 600)
        sender.close()
        assert sender.checked.problems == {}
        assert sender.sent == 600
        assert sender.checked.results.total() > 500
        counters = await asyncio.to_thread(ingester.counters)
        assert add_up(counters)
        assert ingester.process is not None
        assert ingester.process.returncode is None
        # It still works for those who do it right.
        async with client(bench.broker, "gw-b", "onelot/v1/acks/gw-b/+") as other:
            topic = "onelot/v1/feeds/gw-b/other/spaces"
            await other.client.publish(topic, body(1, free=[1]), qos=1)
            await until(lambda: other.results == ["applied"], "a good message")
    rows = await db.fetch("SELECT topic, gateway_id, lot_id, detail, payload FROM dead_letter")
    assert len(rows) > 300
    assert not [row for row in rows if "QZX7391" in str(list(row)).upper()]
