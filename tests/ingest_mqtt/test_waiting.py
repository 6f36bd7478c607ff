"""What waits while the database is away is bounded, in messages and in bytes."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from ingest_mqtt.messages import MAX_PAYLOAD_BYTES
from sql.engine import Db
from tests.ingest_mqtt.proxy import proxy_to
from tests.ingest_mqtt.running import Client, Ingester, client
from tests.polling import until
from tests.servers import Broker

FEED = "onelot/v1/feeds/gw-a/gates/count"
MOST_GROWTH = 50 * 10**6
QOS_0, QOS_1 = 1300, 600


# Far more than the ingester takes in at once, of what the broker has queued for it.
LAST = 6000


def small(seq: int) -> bytes:
    body = {"epoch": 100, "seq": seq, "observed_at": "2026-11-22T09:30:00+08:00", "free": 7}
    return json.dumps(body).encode()


def large(seq: int) -> bytes:
    return small(seq).ljust(MAX_PAYLOAD_BYTES)


def acked(gateway: Client) -> set[int]:
    return {json.loads(payload)["seq"] for _, payload in gateway.heard}


def first_results(gateway: Client) -> set[str]:
    """What each message was told first; one confirmed in vain comes, and is acked, again."""
    first: dict[int, str] = {}
    for _, payload in gateway.heard:
        told = json.loads(payload)
        first.setdefault(told["seq"], told["result"])
    return set(first.values())


async def counted(ingester: Ingester, condition: Callable[[dict[str, float]], bool]) -> None:
    """Wait until the ingester's counters say so."""

    async def is_so() -> bool:
        return condition(await asyncio.to_thread(ingester.counters))

    await until(is_so, "the counters", timeout_s=60)


async def test_large_messages_wait_for_the_database_in_little_memory(
    db: Db, database_url: str, broker: Broker, tmp_path: Path
) -> None:
    broker.add_users("gw-a")
    port = int(database_url.rpartition(":")[2].partition("/")[0])
    async with proxy_to(port) as way:
        url = database_url.replace(f":{port}/", f":{way.port}/")
        log = tmp_path / "ingester.log"
        async with Ingester.running(url, broker.platform_ingest, log) as ingester:
            async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
                await gateway.client.publish(FEED, large(1), qos=1)
                await until(lambda: gateway.results == ["applied"], "it works")
                before = ingester.resident_bytes
                way.is_open = False
                way.cut()
                for seq in range(2, 2 + QOS_0):
                    await gateway.client.publish(FEED, large(seq), qos=0)
                await counted(ingester, lambda c: c["ingest_received_total"] == 1 + QOS_0)
                for seq in range(2 + QOS_0, 2 + QOS_0 + QOS_1):
                    await gateway.client.publish(FEED, large(seq), qos=1)
                # The others stay with the broker.
                await counted(ingester, lambda c: c["ingest_received_total"] >= 1 + QOS_0 + 250)
                growth = ingester.resident_bytes - before
                assert growth < MOST_GROWTH
                way.is_open = True
                last = 1 + QOS_0 + QOS_1
                await until(
                    lambda: any(json.loads(ack)["seq"] == last for _, ack in gateway.heard),
                    "the last ack",
                )
            counters = await asyncio.to_thread(ingester.counters)
    assert acked(gateway) >= set(range(2 + QOS_0, last + 1))
    assert first_results(gateway) == {"applied"}
    dropped = counters['ingest_messages_total{result="dropped"}']
    assert len(acked(gateway)) + dropped == last
    assert 0 < dropped < QOS_0
    assert counters["ingest_waiting"] == 0
    assert await db.fetchval("SELECT seq FROM lot_state") == last


async def test_what_does_not_fit_stays_with_the_broker(
    db: Db, database_url: str, broker: Broker, tmp_path: Path
) -> None:
    """More unconfirmed messages than fit: each comes once, and none overtakes another."""
    broker.add_users("gw-a")
    port = int(database_url.rpartition(":")[2].partition("/")[0])
    async with proxy_to(port) as way:
        url = database_url.replace(f":{port}/", f":{way.port}/")
        log = tmp_path / "ingester.log"
        async with Ingester.running(url, broker.platform_ingest, log) as ingester:
            async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
                await gateway.client.publish(FEED, large(1), qos=1)
                await until(lambda: gateway.results == ["applied"], "it works")
                way.is_open = False
                way.cut()
                for seq in range(2, LAST + 1):
                    await gateway.client.publish(FEED, small(seq), qos=1)
                way.is_open = True
                await until(lambda: len(gateway.results) == LAST, "every ack", timeout_s=60)
            counters = await asyncio.to_thread(ingester.counters)
    assert [json.loads(payload)["seq"] for _, payload in gateway.heard] == [*range(1, LAST + 1)]
    assert set(gateway.results) == {"applied"}
    assert counters["ingest_received_total"] == LAST
    assert ingester.logged("connected to broker") == 1
    assert await db.fetchval("SELECT seq FROM lot_state") == LAST
