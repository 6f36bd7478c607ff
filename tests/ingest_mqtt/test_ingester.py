"""The program itself, between a real broker and a real database."""

import asyncio
import signal
import sys
from pathlib import Path

import asyncpg

from deploy import postgres
from sql.engine import Db
from tests.ingest_mqtt.builders import snapshot
from tests.ingest_mqtt.running import Ingester, client
from tests.polling import until
from tests.servers import Broker, as_role

ONLINE = b'{"status": "online"}'


async def test_an_ack_follows_the_commit_and_the_state_is_retained(
    ingester: Ingester, broker: Broker, db: Db
) -> None:
    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        await gateway.send("gates", "count", free=7)
        await until(lambda: gateway.results == ["applied"], "the ack")
        assert await db.fetchval("SELECT free_spaces FROM lot_state") == 7
        await gateway.send("gates", "count", free=7)
        await gateway.send("gates", "count", free=99, seq=2)
        await gateway.send("gates", "count", free=9, epoch=1)
        await gateway.client.publish("onelot/v1/feeds/gw-a/gates/status", ONLINE, qos=1)
        await until(lambda: len(gateway.results) == 4, "the other acks")
        assert gateway.results[1:] == ["duplicate", "rejected", "superseded"]
    async with client(broker, "platform-api", "onelot/v1/state/+") as api:
        await until(lambda: "gates" in api.states, "the retained state")
        row = await db.fetchrow("SELECT version, committed_at FROM lot_state")
        assert row is not None
        assert api.states["gates"]["version"] == f"{row['version']:020d}"
        assert api.states["gates"]["committed_at"] == row["committed_at"].isoformat()
        assert (api.states["gates"]["free_spaces"], api.states["gates"]["capacity"]) == (7, 50)
    counters = await asyncio.to_thread(ingester.counters)
    results = [value for name, value in counters.items() if name.startswith("ingest_messages_to")]
    assert counters["ingest_received_total"] == 4 == sum(results) + counters["ingest_waiting"]
    assert counters["ingest_status_total"] == 1


async def test_a_restart_of_the_database_loses_and_rejects_nothing(
    ingester: Ingester, broker: Broker, db: Db, database_url: str
) -> None:
    # Only its own role may end its connections.
    same = await asyncpg.connect(as_role(database_url, postgres.INGESTER))
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'ingest_mqtt' AND datname = current_database()"
        " AND pid <> pg_backend_pid()"
    )
    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        for seq in range(1, 301):
            await gateway.send("gates", "count", free=seq % 50, seq=seq)
            if seq % 100 == 50:
                await until(lambda: len(gateway.results) > 10, "some acks")
                await until(lambda: same.fetchval(cut), "a connection to cut")
        await same.close()
        await until(lambda: len(gateway.results) >= 300, "every ack")
    # A commit whose end was not heard of has gone through: its messages are then duplicates.
    assert set(gateway.results) <= {"applied", "duplicate", "superseded"}
    state = await db.fetchrow("SELECT seq, free_spaces FROM lot_state")
    assert state is not None
    assert tuple(state) == (300, 0)
    assert await db.fetchval("SELECT count(*) FROM count_event") == 300
    assert ingester.process is not None
    assert ingester.process.returncode is None


async def test_a_broker_that_lost_its_store_gets_every_state_again(
    ingester: Ingester, broker: Broker
) -> None:
    del ingester
    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        await gateway.send("gates", "count", free=7)
        await until(lambda: gateway.results == ["applied"], "the ack")
    broker.kill()
    for store in broker.directory.glob("*.db"):
        store.unlink()
    broker.start()
    async with client(broker, "platform-api", "onelot/v1/state/+") as api:
        await until(lambda: "gates" in api.states, "the state, published again")
        assert api.states["gates"]["free_spaces"] == 7
    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        await gateway.send("gates", "count", free=8, seq=2)
        await until(lambda: gateway.results == ["applied"], "an ack after the reconnect")


async def test_what_came_while_the_ingester_was_dead_is_applied_when_it_is_back(
    ingester: Ingester, broker: Broker, db: Db
) -> None:
    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        await gateway.send("gates", "count", free=7)
        await until(lambda: gateway.results == ["applied"], "the ack")
        await ingester.stop(signal.SIGKILL)
        await gateway.send("gates", "count", free=8, seq=2)
        body = snapshot(0b11)
        await gateway.client.publish(body.topic, body.payload, qos=1)
        await ingester.start()
        await until(lambda: len(gateway.results) == 3, "the acks of what waited")
    assert gateway.results == ["applied"] * 3
    assert await db.fetchval("SELECT free_spaces FROM lot_state WHERE lot_id = 'gates'") == 8


async def test_a_lot_that_is_registered_later_is_known_at_once(
    ingester: Ingester, broker: Broker, db: Db
) -> None:
    del ingester
    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        await gateway.send("late", "count", free=1)
        await until(lambda: gateway.results == ["rejected"], "the refusal")
        async with db.transaction():
            await db.execute(
                'INSERT INTO lot SELECT (jsonb_populate_record(l, \'{"lot_id": "late"}\')).*'
                " FROM lot AS l WHERE lot_id = 'gates'"
            )
            await db.execute("NOTIFY registry")
        await gateway.send("late", "count", free=1, seq=2)
        await until(lambda: len(gateway.results) == 2, "the second ack")
    assert gateway.results == ["rejected", "applied"]


async def test_a_message_the_database_cannot_hold_stops_no_other(
    ingester: Ingester, broker: Broker, db: Db, owner_url: str
) -> None:
    del ingester
    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        await gateway.send("gates", "count", free=1)
        await until(lambda: gateway.results == ["applied"], "the ingester is at work")
        owner = await asyncpg.connect(owner_url)
        await owner.execute("ALTER TABLE count_event ADD CHECK (free_spaces <> 13)")
        await owner.close()
        for seq, free in enumerate((12, 13, 14), start=2):
            await gateway.send("gates", "count", free=free, seq=seq)
        await until(lambda: len(gateway.results) == 4, "every ack")
    assert gateway.results == ["applied", "applied", "rejected", "applied"]
    assert await db.fetchval("SELECT reason FROM dead_letter") == "internal"


async def test_only_one_ingester_works_at_a_time(
    ingester: Ingester, broker: Broker, database_url: str, tmp_path: Path
) -> None:
    second = Ingester(database_url, broker.platform_ingest, tmp_path / "second.log")
    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        await gateway.send("gates", "count", free=1)
        await until(lambda: gateway.results == ["applied"], "the first is at work")
        await second.start()
        try:
            await until(lambda: "another ingester" in second.log.read_text(), "the second waits")
            await gateway.send("gates", "count", free=2, seq=2)
            await until(lambda: gateway.results == ["applied"] * 2, "the first goes on")
            assert await ingester.stop() == 0
            await gateway.send("gates", "count", free=3, seq=3)
            await until(lambda: gateway.results == ["applied"] * 3, "the second takes over")
        finally:
            await second.stop()


async def test_it_says_what_is_missing(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingest_mqtt", env={}, cwd=Path.cwd(),
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, complaint = await process.communicate()
    assert process.returncode == 2
    assert b"mqtt_url" in complaint
    del tmp_path
