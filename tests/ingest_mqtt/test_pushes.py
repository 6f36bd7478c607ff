"""Reports that the API hands on: each ack finds the message that it answers, and no other place."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest_mqtt.wire import FeedTopic, Reply
from sql.engine import Db
from tests.ingest_mqtt.running import Bench, Ingester, client, totals
from tests.polling import until
from tests.servers import Broker

GATES = FeedTopic("gw-a", "gates", "count").push_topic
BAYS = FeedTopic("gw-a", "bays", "spaces").push_topic


def body(seq: int, **fields: Any) -> bytes:
    at = "2026-11-22T09:30:00+08:00"
    return json.dumps({"epoch": 100, "seq": seq, "observed_at": at, **fields}).encode()


class Pusher:
    """A process of the API, as far as the ingester sees it."""

    def __init__(self, client: aiomqtt.Client, number: int) -> None:
        self.client, self.number = client, number
        self.acks: dict[bytes, dict[str, Any]] = {}
        self.topics: set[str] = set()

    async def push(self, topic: str, payload: bytes, **more: Any) -> bytes:
        """Publish a report; return its correlation data."""
        correlation = more.pop("CorrelationData", Reply.new(self.number).correlation)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        for name, value in {"CorrelationData": correlation, **more}.items():
            if value is not None:
                setattr(properties, name, value)
        await self.client.publish(topic, payload, qos=1, properties=properties)
        return bytes(correlation or b"")

    async def listen(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            self.topics.add(message.topic.value)
            assert message.properties is not None
            # paho sets the properties that a message has as attributes.
            correlation: bytes = vars(message.properties)["CorrelationData"]
            self.acks[correlation] = json.loads(message.payload)

    async def acked(self, number: int) -> list[dict[str, Any]]:
        await until(lambda: len(self.acks) >= number, f"{number} acks")
        return list(self.acks.values())


@asynccontextmanager
async def pusher(broker: Broker, number: int = 1) -> AsyncIterator[Pusher]:
    user = "platform-push" if number == 1 else f"platform-push-{number}"
    async with aiomqtt.Client(
        broker.host,
        broker.port,
        username=user,
        password=broker.password(user),
        identifier=user,
        protocol=aiomqtt.ProtocolVersion.V5,
    ) as connection:
        # What it may not hear is not delivered.
        await connection.subscribe("onelot/v1/#", qos=1)
        made = Pusher(connection, number)
        listening = asyncio.create_task(made.listen())
        try:
            yield made
        finally:
            listening.cancel()


@pytest.mark.usefixtures("ingester")
async def test_every_ack_finds_its_message_whatever_the_message_holds(
    broker: Broker, db: Db
) -> None:
    async with (
        pusher(broker) as first,
        pusher(broker, 32) as second,
        client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway,
    ):
        good, malformed, foreign, other = await asyncio.gather(
            first.push(GATES, body(1, free=7)),
            first.push(GATES, b"[", ResponseTopic="onelot/v1/acks/gw-a/gates"),
            first.push(FeedTopic("gw-a", "other", "spaces").push_topic, body(1, free=[1])),
            second.push(BAYS, b"\xff" * 65_537),
        )
        await first.acked(3)
        await second.acked(1)

        assert first.acks[good]["result"] == "applied"
        assert (first.acks[malformed]["reason"], first.acks[malformed]["seq"]) == (
            "malformed",
            None,
        )
        assert first.acks[foreign]["reason"] == "foreign_lot"
        assert second.acks[other]["reason"] == "too_large"
        assert first.topics == {"onelot/v1/push-acks/1"}
        assert second.topics == {"onelot/v1/push-acks/32"}
        # The same report over MQTT is the same report; its ack goes to the gateway, alone.
        await gateway.send("gates", "count", free=7)
        await until(lambda: gateway.results == ["duplicate"], "the gateway's own ack")
        assert len(first.acks) == 3
    assert await db.fetchval("SELECT free_spaces FROM lot_state WHERE lot_id = 'gates'") == 7
    topics = await db.fetch("SELECT topic FROM dead_letter WHERE lot_id = 'gates'")
    assert [row["topic"] for row in topics] == ["onelot/v1/feeds/gw-a/gates/count"]


async def test_concurrent_reports_of_many_are_answered_one_by_one(
    ingester: Ingester, broker: Broker
) -> None:
    async with pusher(broker) as api:
        sent = [await api.push(GATES, body(seq, free=seq % 50)) for seq in range(1, 101)]
        await api.acked(100)

        assert [api.acks[one]["seq"] for one in sent] == list(range(1, 101))
        counters = await asyncio.to_thread(ingester.counters)
    assert totals(counters, "pushed", "result") == {"applied": 100}
    assert totals(counters, "messages", "result") == {"applied": 100}


@pytest.mark.parametrize("correlation", [None, b"", b"\x01", bytes(17), b"\x21" + bytes(16)])
async def test_who_cannot_be_answered_is_not_heard(
    ingester: Ingester, broker: Broker, correlation: bytes | None, db: Db
) -> None:
    async with pusher(broker) as api:
        await api.push(GATES, body(1, free=7), CorrelationData=correlation)
        good = await api.push(GATES, body(2, free=8))
        await api.acked(1)

        assert api.acks.keys() == {good}
        counters = await asyncio.to_thread(ingester.counters)
    assert totals(counters, "pushed", "result") == {"applied": 1, "unanswerable": 1}
    assert await db.fetchval("SELECT count(*) FROM count_event") == 1


async def test_both_ways_share_their_gateways_rate(bench: Bench) -> None:
    """A hundred messages at once, however they come."""
    async with (
        bench.running() as ingester,
        pusher(bench.broker) as api,
        client(bench.broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway,
    ):
        for seq in range(1, 91):
            await gateway.send("gates", "count", seq=seq, free=1)
        for seq in range(91, 191):
            await api.push(GATES, body(seq, free=1))
        acks = await api.acked(100)

        results = [ack["result"] for ack in acks]
        # Some tokens have grown again meanwhile.
        assert results[:10] == ["applied"] * 10
        assert results.count("deferred") > 20
        assert {ack.get("retry_s") for ack in acks if ack["result"] == "deferred"} == {3}
        counters = await asyncio.to_thread(ingester.counters)
        assert totals(counters, "pushed", "result") == Counter(results)


async def test_far_over_the_rate_a_report_is_answered_unread(bench: Bench) -> None:
    """Over MQTT it would be dropped; over HTTP somebody waits. The bounds are those of bytes."""
    large = body(1, free=1).ljust(60_000)
    async with bench.running(INGEST_MESSAGE_BYTES="1024") as ingester, pusher(bench.broker) as api:
        for _ in range(100):
            await api.push(GATES, large)
        acks = await api.acked(100)

        unread = [ack for ack in acks if ack["result"] == "deferred" and ack["epoch"] is None]
        assert len(unread) > 20
        assert {(ack["seq"], ack["retry_s"]) for ack in unread} == {(None, 60)}
        counters = await asyncio.to_thread(ingester.counters)
    assert totals(counters, "messages", "result").get("dropped", 0) == 0
    assert totals(counters, "pushed", "result")["deferred"] >= len(unread)


@pytest.mark.usefixtures("ingester")
async def test_a_lots_state_says_how_its_report_came(broker: Broker, db: Db) -> None:
    async def transports() -> dict[str, str]:
        rows = await db.fetch("SELECT lot_id, transport FROM lot_now WHERE transport IS NOT NULL")
        return {row["lot_id"]: row["transport"] for row in rows}

    async with pusher(broker) as api, client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        await gateway.send("gates", "count", free=7)
        await api.push(BAYS, body(1, free=[3]))
        await api.acked(1)
        await until(lambda: gateway.results == ["applied"], "the gateway's ack")
        assert await transports() == {"gates": "mqtt", "bays": "http"}

        # It stays what it was where an import fits the state to fewer bays.
        await db.execute("UPDATE lot SET capacity = 10 WHERE lot_id = 'bays'")
        await db.execute("NOTIFY registry, 'bays'")
        fitted = "SELECT capacity = 10 FROM lot_state WHERE lot_id = 'bays'"
        await until(lambda: db.fetchval(fitted), "the state that fits")
        assert (await transports())["bays"] == "http"

        await api.push(GATES, body(2, free=8))
        await gateway.send("bays", "spaces", seq=2, free=[4])
        await api.acked(2)
        await until(lambda: len(gateway.results) == 2, "the gateway's ack")
        assert await transports() == {"gates": "http", "bays": "mqtt"}
