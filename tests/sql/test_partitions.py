from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from deploy import postgres
from sql.engine import Db
from sql.partitions import EVENTS, OCCUPANCY, OCCUPANCY_DAYS, OCCUPANCY_FED, maintain
from tests.servers import as_role

NOW = datetime(2026, 12, 30, 23, 59, tzinfo=UTC)
KEPT = {"event_retention": timedelta(days=30), "occupancy_retention": timedelta(days=400)}


@pytest.fixture
async def db(database_url: str) -> Db:
    url = as_role(database_url, postgres.INGESTER)
    return await asyncpg.connect(url, server_settings={"timezone": "UTC"})


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[Db]:
    connection = await asyncpg.connect(owner_url, server_settings={"timezone": "UTC"})
    yield connection
    await connection.close()


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
        f"{table}_p{month}01"
        for table in ("lot_occupancy", "lot_occupancy_day", "lot_occupancy_fed")
        for month in ("202612", "202701")
    ]
    assert dropped == []
    assert await maintain(db, NOW, **KEPT) == ([], [])


async def test_rows_go_to_the_day_they_were_received(db: Db, owner: Db) -> None:
    await maintain(db, NOW, **KEPT)
    for at in (NOW, NOW + timedelta(minutes=1), NOW - timedelta(days=9)):
        await _event(db, at)
    assert await _where(owner, "space_event") == [
        "space_event_p20261230",
        "space_event_p20261231",
        "space_event_default",
    ]


async def test_rows_that_came_too_early_are_moved(db: Db, owner: Db) -> None:
    await _event(db, NOW)
    await _event(db, NOW - timedelta(days=9))
    await maintain(db, NOW, **KEPT)
    assert await _where(owner, "space_event") == ["space_event_p20261230", "space_event_default"]


async def test_what_is_older_than_its_retention_is_dropped(db: Db, owner: Db) -> None:
    now = datetime.now(UTC)
    before = now - timedelta(days=32)
    await maintain(db, before, **KEPT)
    await _event(db, before)
    _, dropped = await maintain(db, now, **KEPT)
    too_old = [before, before + timedelta(days=1)]
    assert dropped == [each.name(each.start(at)) for each in EVENTS for at in too_old]
    assert await _where(owner, "space_event") == []
    year = now - timedelta(days=440)
    await maintain(db, year, **KEPT)
    _, dropped = await maintain(db, now, **KEPT)
    for each in (OCCUPANCY, OCCUPANCY_DAYS, OCCUPANCY_FED):
        assert each.name(each.start(year)) in dropped


async def test_nothing_is_dropped_that_the_owner_keeps(db: Db, owner: Db) -> None:
    """Whoever has taken the ingester over cannot drop the past, today's partition least of all."""
    now = datetime.now(UTC)
    before = now - timedelta(days=32)
    for at in (before, now - timedelta(days=20)):
        await maintain(db, at, **KEPT)
    await owner.execute("UPDATE retention SET days = 40 WHERE table_name = 'space_event'")
    _, dropped = await maintain(db, now, **KEPT)
    assert {name.partition("_p")[0] for name in dropped} == {"count_event"}
    mine = [f"space_event_p{at:%Y%m%d}" for at in (before, now - timedelta(days=20), now)]
    for parent, name in [
        *(("space_event", name) for name in mine),
        ("count_event", f"count_event_p{now:%Y%m%d}"),
        *(
            (each.table, each.name(each.start(now)))
            for each in (OCCUPANCY, OCCUPANCY_DAYS, OCCUPANCY_FED)
        ),
    ]:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="is kept for"):
            await db.execute("SELECT drop_partition($1, $2)", parent, name)
    for parent, name in (("lot", "lot_p20200101"), ("space_event", "space_event_default")):
        with pytest.raises(asyncpg.RaiseError, match="not a partition"):
            await db.execute("SELECT drop_partition($1, $2)", parent, name)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute("UPDATE retention SET days = 1")


def test_every_partitioned_table_is_maintained() -> None:
    assert {one.table for one in (*EVENTS, OCCUPANCY, OCCUPANCY_DAYS, OCCUPANCY_FED)} == {
        "space_event",
        "count_event",
        "lot_occupancy",
        "lot_occupancy_day",
        "lot_occupancy_fed",
    }
