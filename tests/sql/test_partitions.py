from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from sql.engine import Db
from sql.partitions import EVENTS, OCCUPANCY, maintain

NOW = datetime(2026, 12, 30, 23, 59, tzinfo=UTC)
KEPT = {"event_retention": timedelta(days=30), "occupancy_retention": timedelta(days=400)}


@pytest.fixture
async def db(database_url: str) -> Db:
    return await asyncpg.connect(database_url, server_settings={"timezone": "UTC"})


async def _where(db: Db, table: str) -> list[str]:
    return [row[0] for row in await db.fetch(f"SELECT tableoid::regclass::text FROM {table}")]


async def _event(db: Db, at: datetime) -> None:
    await db.execute("INSERT INTO space_event VALUES ('lot', 1, 'free', $1, $1)", at)


async def test_partitions_are_made_ahead_once(db: Db) -> None:
    made, dropped = await maintain(db, NOW, **KEPT)
    assert [name for name in made if name.startswith("space_event")] == [
        "space_event_p20261230",
        "space_event_p20261231",
        "space_event_p20270101",
        "space_event_p20270102",
    ]
    assert [n for n in made if "occupancy" in n] == [
        "lot_occupancy_p20261201",
        "lot_occupancy_p20270101",
    ]
    assert dropped == []
    assert await maintain(db, NOW, **KEPT) == ([], [])


async def test_rows_go_to_the_day_they_were_received(db: Db) -> None:
    await maintain(db, NOW, **KEPT)
    for at in (NOW, NOW + timedelta(minutes=1), NOW - timedelta(days=9)):
        await _event(db, at)
    assert await _where(db, "space_event") == [
        "space_event_p20261230",
        "space_event_p20261231",
        "space_event_default",
    ]


async def test_rows_that_came_too_early_are_moved(db: Db) -> None:
    await _event(db, NOW)
    await _event(db, NOW - timedelta(days=9))
    await maintain(db, NOW, **KEPT)
    assert await _where(db, "space_event") == ["space_event_p20261230", "space_event_default"]


async def test_what_is_older_than_its_retention_is_dropped(db: Db) -> None:
    await maintain(db, NOW, **KEPT)
    await _event(db, NOW)
    _, dropped = await maintain(db, NOW + timedelta(days=31), **KEPT)
    assert dropped == [
        "space_event_p20261230",
        "count_event_p20261230",
    ]
    assert await _where(db, "space_event") == []
    _, dropped = await maintain(db, NOW + timedelta(days=410), **KEPT)
    assert "lot_occupancy_p20261201" in dropped
    assert "lot_occupancy_p20270101" not in dropped


def test_every_partitioned_table_is_maintained() -> None:
    assert {one.table for one in (*EVENTS, OCCUPANCY)} == {
        "space_event",
        "count_event",
        "lot_occupancy",
    }
