"""What strangers can do on the wire, with the program between a real broker and a real database."""

import asyncio
import json
from pathlib import Path

import pytest

from sql.engine import Db
from tests.ingest_mqtt.proxy import proxy_to
from tests.ingest_mqtt.running import Client, Ingester, client, publish
from tests.polling import until
from tests.servers import Broker

FEED = "onelot/v1/feeds/gw-a/gates/count"
POISON = [
    b"[",
    b'{"epoch":"x",',
    b'{"name":"caf\xe9',
    b"[" * 60_000,
    b'{"epoch":' + b"9" * 5000 + b"}",
    b'{"free":NaN}',
    b'{"free":"\xed\xa0\x80"}',
    b'{"free":"\\ud800"}',
    b"{}{}",
    b"\xef\xbb\xbf{}",
    b" " * 70_000,
]
FAR = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00Z"]


def count(seq: int, free: int = 7, at: str = "2026-11-22T09:30:00+08:00") -> bytes:
    return json.dumps({"epoch": 100, "seq": seq, "observed_at": at, "free": free}).encode()


def acks(gateway: Client) -> list[dict[str, object]]:
    return [json.loads(payload) for topic, payload in gateway.heard if "/acks/" in topic]


async def test_whatever_a_message_holds_the_next_one_is_applied(
    ingester: Ingester, broker: Broker, db: Db
) -> None:
    far = [count(seq, at=at) for seq, at in enumerate(FAR, 1)]
    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        for payload in POISON + far:
            await gateway.client.publish(FEED, payload, qos=1)
        await gateway.client.publish(
            "onelot/v1/feeds/gw-a/Gro\u00dfer Markt/count", count(1), qos=1
        )
        await gateway.client.publish(FEED, b"", qos=1)
        await gateway.client.publish(FEED, count(9), qos=1)
        wanted = len(POISON) + len(far) + 3
        await until(lambda: len(acks(gateway)) == wanted, "an ack each")
    told = acks(gateway)
    assert [one["result"] for one in told] == ["rejected"] * (wanted - 1) + ["applied"]
    assert {(one["epoch"], one["seq"]) for one in told[: len(POISON)]} == {(None, None)}
    assert [one["reason"] for one in told[len(POISON) : -1]] == [
        *("invalid", "observed_ahead", "invalid", "unknown_lot", "malformed")
    ]
    assert await db.fetchval("SELECT count(*) FROM lot_state") == 1
    assert ingester.logged("connected to broker") == 1
    assert ingester.logged("error") == 0


async def test_poison_that_waited_in_the_session_is_refused_at_the_start(
    ingester: Ingester, broker: Broker
) -> None:
    await ingester.stop()
    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        for payload in [*POISON, count(1)]:
            await gateway.client.publish(FEED, payload, qos=1)
        await ingester.start()
        await until(lambda: len(acks(gateway)) > len(POISON), "an ack each")
        assert gateway.results == ["rejected"] * len(POISON) + ["applied"]


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_every_quality_of_service_is_taken_and_acked(
    ingester: Ingester, broker: Broker, qos: int
) -> None:
    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        for seq in range(1, 101):
            await gateway.client.publish(FEED, count(seq, seq % 50), qos=qos)
        await until(lambda: len(gateway.results) == 100, "an ack each")
        assert gateway.results == ["applied"] * 100
    # The same with mosquitto's own client, under the same name: the other has left.
    await publish(broker, FEED, *(count(seq, seq % 50) for seq in range(101, 301)), qos=qos)

    def applied() -> bool:
        return ingester.counters()['ingest_messages_total{result="applied"}'] == 300

    await until(lambda: asyncio.to_thread(applied), "every message applied")
    assert ingester.logged("connected to broker") == 1
    assert ingester.logged("connection to broker lost") == 0


async def retained(broker: Broker, api: str = "platform-ingest") -> list[str]:
    """Which feeds the broker holds; asked as the ingester, which must not run."""
    async with client(broker, api, "onelot/v1/feeds/#", "onelot/v1/state/#") as asked:
        await asked.client.publish("onelot/v1/state/marker", b"x", qos=1)
        await until(lambda: any("marker" in topic for topic, _ in asked.heard), "the marker")
        return [topic for topic, _ in asked.heard if "/feeds/" in topic]


async def test_a_retained_feed_is_taken_once_and_cleared(
    ingester: Ingester, broker: Broker, db: Db
) -> None:
    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        for qos in (0, 1, 2):
            await gateway.client.publish(FEED, count(qos + 1), qos=qos, retain=True)
        await until(lambda: gateway.results == ["applied"] * 3, "the acks")
        # Its gateway clears it, too: not a message.
        await gateway.client.publish(FEED, b"", qos=1, retain=True)
        await gateway.client.publish(FEED, count(4), qos=1)
        await until(lambda: gateway.results == ["applied"] * 4, "the last ack")
    counters = await asyncio.to_thread(ingester.counters)
    assert counters["ingest_received_total"] == 4
    assert await db.fetchval("SELECT count(*) FROM dead_letter") == 0
    await ingester.stop()
    assert await retained(broker) == []


async def test_what_was_retained_before_is_cleared_unread(
    db: Db, database_url: str, broker: Broker, tmp_path: Path
) -> None:
    broker.add_users("gw-a")
    # A session of the version before, with its one subscription; then feeds that nobody cleared.
    async with client(broker, "platform-ingest", "onelot/v1/feeds/#"):
        pass
    await publish(broker, FEED, count(1), retain=True)
    await publish(broker, FEED.replace("count", "status"), b'{"status":"offline"}', retain=True)
    made = Ingester(database_url, broker.platform_ingest, tmp_path / "ingester.log")
    await made.start()
    try:
        async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
            await until(lambda: made.logged("connected to broker"), "the ingester")
            await gateway.client.publish(FEED, count(2), qos=1)
            await until(lambda: gateway.results, "an ack")
            assert [one["seq"] for one in acks(gateway)] == [2]
        counters = await asyncio.to_thread(made.counters)
        assert counters["ingest_received_total"] == 1
        assert await db.fetchval("SELECT count(*) FROM dead_letter") == 0
    finally:
        await made.stop()
    assert await retained(broker) == []


async def test_a_link_that_breaks_anywhere_loses_nothing(
    db: Db, database_url: str, broker: Broker, tmp_path: Path
) -> None:
    broker.add_users("gw-a")
    async with proxy_to(broker.port) as way:
        url = broker.platform_ingest.replace(str(broker.port), str(way.port))
        made = Ingester(database_url, url, tmp_path / "ingester.log")
        # Each connection breaks after so many bytes, in the middle of whatever it carries.
        way.budget = 4000
        await made.start()
        try:
            await until(lambda: made.logged("connected to broker"), "the ingester")
            async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
                for seq in range(1, 61):
                    await gateway.client.publish(FEED, count(seq, seq % 50), qos=1)
                await until(lambda: way.connections > 3, "some breaks")
                way.budget = None
                way.cut()
                seqs = set(range(1, 61))
                await until(lambda: {one["seq"] for one in acks(gateway)} == seqs, "every ack")
            assert made.process is not None
            assert made.process.returncode is None
        finally:
            assert await made.stop() == 0
    assert await db.fetchval("SELECT seq FROM lot_state") == 60


async def test_a_heartbeat_goes_through_broker_inbox_and_commit(
    ingester: Ingester, db: Db, broker: Broker
) -> None:
    async def beat() -> object:
        return await db.fetchval("SELECT heartbeat_at FROM ingester_status")

    await until(beat, "a heartbeat")
    first = await beat()

    async def beats_again() -> bool:
        return await beat() != first

    await until(beats_again, "another heartbeat")
    counters = await asyncio.to_thread(ingester.counters)
    assert counters["ingest_received_total"] == 0
    assert await db.fetchval("SELECT stopped FROM ingester_status") is None

    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        await gateway.client.publish(FEED, count(1), qos=1)
        await gateway.client.publish(FEED, count(2), qos=1)

        async def tells_of_both() -> bool:
            return bool(await db.fetchval("SELECT observations = 2 FROM ingester_status"))

        await until(tells_of_both, "a heartbeat that tells of what was applied")
