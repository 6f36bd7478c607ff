from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from ingest_mqtt.copying import space_rows
from ingest_mqtt.decide import decide
from ingest_mqtt.lots import Committed, GatewaySize
from ingest_mqtt.store import commit, load_registry
from sql.engine import Db
from sql.lot_state_store import SupersededError, load_states
from tests.ingest_mqtt.builders import AT, message, snapshot


@pytest.fixture
async def db(db: Db, owner_url: str) -> AsyncIterator[Db]:
    """The owner's connection: the store writes and the tests read, which no other role may both."""
    del db
    connection = await asyncpg.connect(owner_url, server_settings={"timezone": "UTC"})
    yield connection
    await connection.close()


async def test_the_registry_knows_the_bays_of_each_class(db: Db) -> None:
    registry = await load_registry(db)
    assert registry.operators == {"gw-a": "op-a", "gw-b": "op-b"}
    assert registry.lots["bays"].class_masks == (0b1111_1111_1100, 0, 0b11, 0)
    assert registry.lots["gates"].reporting == "count"
    assert registry.sizes == {"gw-a": GatewaySize(2, 62), "gw-b": GatewaySize(1, 8)}


async def test_state_and_history_are_committed_together(db: Db) -> None:
    registry = await load_registry(db)
    batch = [snapshot(0b11), message("gates", "count", free=7)]
    committed = await commit(db, decide(batch, registry, {}), {})
    assert await load_states(db) == committed
    assert committed["bays"].state.free_by_class == (10, 0, 0, 0)
    assert await db.fetchval("SELECT count(*) FROM space_event") == 12
    assert await db.fetchval("SELECT free_spaces FROM count_event") == 7
    assert await db.fetchval("SELECT count(*) FROM space_now WHERE state = 'occupied'") == 2


async def test_a_heartbeat_tells_how_much_was_applied_until_then(db: Db) -> None:
    registry = await load_registry(db)
    outcome = decide([snapshot(0b11), message("gates", "count", free=7)], registry, {})
    outcome.has_heartbeat = True
    await commit(db, outcome, {}, observations=1_000)
    applied = await db.fetchval("SELECT observations FROM ingester_status")
    assert applied == 1_000 + outcome.observations == 1_013


async def test_nothing_of_a_batch_stays_when_a_part_of_it_fails(db: Db) -> None:
    registry = await load_registry(db)
    outcome = decide([snapshot(0b11)], registry, {})
    outcome.space_events.append(space_rows("ba\0ys", [("free", 1)], AT, AT))
    with pytest.raises(asyncpg.PostgresError):
        await commit(db, outcome, {})
    assert await load_states(db) == {}


async def test_the_version_rises_with_each_commit_even_when_clocks_stand_still(db: Db) -> None:
    registry = await load_registry(db)
    first = await commit(db, decide([snapshot(0)], registry, {}), {})
    ahead = first["bays"].version + 10**15
    await db.execute("UPDATE lot_state SET version = $1", ahead)
    committed = await load_states(db)
    second = await commit(db, decide([snapshot(1, seq=2)], registry, committed), committed)
    assert second["bays"].version == ahead + 1


async def test_a_state_is_written_only_over_the_one_that_it_was_built_on(db: Db) -> None:
    registry = await load_registry(db)
    nothing: dict[str, Committed] = {}
    first = await commit(db, decide([snapshot(1, seq=8)], registry, nothing), nothing)
    second = await commit(db, decide([snapshot(3, seq=9)], registry, first), first)
    for stale in (nothing, first):
        with pytest.raises(SupersededError) as caught:
            await commit(db, decide([snapshot(7, seq=10)], registry, stale), stale)
        assert caught.value.lot_ids == {"bays"}
    assert await load_states(db) == second
    await db.execute("DELETE FROM lot_state")
    with pytest.raises(SupersededError):
        await commit(db, decide([snapshot(7, seq=10)], registry, second), second)
    assert await load_states(db) == {}


async def test_steps_of_batches_add_up(db: Db) -> None:
    """Ten free for a minute, none for another, then four: a batch each."""
    registry = await load_registry(db)
    committed: dict[str, Committed] = {}
    for seq, free in enumerate((10, 0, 4)):
        at = AT + timedelta(seconds=60 * seq)
        report = message("gates", "count", seq=seq + 1, free=free, received_at=at)
        committed = await commit(db, decide([report], registry, committed), committed)
    row = await db.fetchrow("SELECT * FROM lot_occupancy")
    assert row is not None
    assert dict(row) == {
        "lot_id": "gates",
        "step_at": AT,
        "capacity": 50,
        "covered_s": 120.0,
        "space_s": 6000.0,
        "known_space_s": 6000.0,
        "free_space_s": 600.0,
        "free_last": 4,
        "free_min": 0,
        "free_max": 10,
        "full_s": 60.0,
    }
