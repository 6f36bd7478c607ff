"""What waits while the database is away is bounded, in messages and in bytes."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from ingest_mqtt.messages import MAX_PAYLOAD_BYTES
from sql.engine import Db
from tests.ingest_mqtt.proxy import proxy_to
from tests.ingest_mqtt.running import UNHURRIED, Client, Ingester, client
from tests.polling import until
from tests.servers import Broker

FEED = "onelot/v1/feeds/gw-a/gates/count"
MOST_GROWTH = 50 * 10**6
QOS_0, QOS_1 = 1300, 600


def large(seq: int) -> bytes:
    body = {"epoch": 100, "seq": seq, "observed_at": "2026-11-22T09:30:00+08:00", "free": 7}
    return json.dumps(body).encode().ljust(MAX_PAYLOAD_BYTES)


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
    async with asyncio.timeout(60):
        while not condition(await asyncio.to_thread(ingester.counters)):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)


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
                await counted(ingester, lambda c: c["ingest_received_total"] >= 1 + QOS_0 + 500)
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


async def test_what_a_broker_sends_too_much_is_sent_again_in_order(
    db: Db, database_url: str, broker: Broker, tmp_path: Path
) -> None:
    """More unconfirmed messages than fit: nothing is lost, none overtakes another."""
    broker.add_users("gw-a")
    port = int(database_url.rpartition(":")[2].partition("/")[0])
    async with proxy_to(port) as way:
        url = database_url.replace(f":{port}/", f":{way.port}/")
        settings = {**UNHURRIED, "INGEST_RECEIVE_MAXIMUM": "4000"}
        log = tmp_path / "ingester.log"
        async with Ingester.running(url, broker.platform_ingest, log, settings) as ingester:
            async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
                await gateway.client.publish(FEED, large(1), qos=1)
                await until(lambda: gateway.results == ["applied"], "it works")
                way.is_open = False
                way.cut()
                for seq in range(2, 802):
                    await gateway.client.publish(FEED, large(seq), qos=1)
                way.is_open = True
                # An ack that the break caught on its way goes out twice.
                seqs = set(range(1, 802))
                await until(lambda: acked(gateway) == seqs, "every ack")
            assert first_results(gateway) == {"applied"}
            counters = await asyncio.to_thread(ingester.counters)
    assert ingester.logged("sent too much at once") >= 1
    assert counters['ingest_messages_total{result="applied"}'] == 801
    assert await db.fetchval("SELECT seq FROM lot_state") == 801
