"""Packing: readers see the same before, between and after; late steps are added; two take turns."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from deploy import postgres
from ingest_mqtt import packing, queries
from ingest_mqtt.packing import Packer
from sql.engine import AdvisoryLock, Db, transaction
from sql.migrate import downgrade, upgrade
from sql.partitions import OCCUPANCY, OCCUPANCY_FED, existing, make_missing
from tests.polling import until
from tests.servers import as_role

NOW = datetime.now(UTC)
DAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=10)
STEP = timedelta(seconds=300)
LOTS = ("bays", "gates", "shop")
HISTORY = "SELECT * FROM lot_history ORDER BY lot_id, step_at, covered_s"
LOOSE = "SELECT count(*) FROM lot_occupancy"


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_REST", 0.0)


@pytest.fixture
async def lots(db: Db) -> list[str]:
    return [row["lot_id"] for row in await db.fetch("SELECT lot_id FROM lot ORDER BY 1")]


@pytest.fixture
async def own(db: Db, owner_url: str) -> AsyncIterator[Db]:
    """The owner's connection, on a database with partitions."""
    del db
    connection = await asyncpg.connect(owner_url, server_settings={"timezone": "UTC"})
    await make_missing(connection, OCCUPANCY, {OCCUPANCY.start(DAY), OCCUPANCY.start(NOW)})
    yield connection
    await connection.close()


@pytest.fixture
async def role(db: Db, database_url: str) -> AsyncIterator[Db]:
    """The ingester's own connection: packing needs no other right."""
    del db
    url = as_role(database_url, postgres.INGESTER)
    connection = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
    yield connection
    await connection.close()


def new_step(lot_id: str, at: datetime, number: int, **values: Any) -> queries.NewStep:
    """A step whose numbers are no round ones."""
    covered_s = 30.0 if number % 7 else 10 + number / 30
    fields: dict[str, Any] = {
        "lot_id": lot_id,
        "step_at": at,
        "capacity": 50 + number % 2,
        "covered_s": covered_s,
        "space_s": covered_s * 50,
        "known_space_s": covered_s * 48 / 1.1,
        "free_space_s": covered_s * number / 17,
        "free_last": number % 13,
        "free_min": number % 5,
        "free_max": 13 + number % 11,
        "full_s": number / 9 if number % 5 == 0 else 0.0,
    }
    return queries.NewStep(**(fields | values))


async def write(db: Db, steps: list[queries.NewStep]) -> None:
    async with transaction(db) as within:
        await queries.add_steps(within, steps)


async def fill(role: Db, lots: list[str], days: int = 2) -> None:
    """Steps of some days and, for each lot, a gap."""
    steps = [
        new_step(lot, DAY + day * timedelta(days=1) + n * STEP, n + 31 * day + place)
        for place, lot in enumerate(lots)
        for day in range(days)
        for n in range(288)
        if n % 50 != place
    ]
    await write(role, steps)


def packer(url: str = "", after_days: int = 3) -> Packer:
    return Packer(url, timedelta(days=after_days), lambda: NOW)


async def test_readers_see_the_same_before_and_after(role: Db, own: Db, lots: list[str]) -> None:
    await fill(role, lots)
    await write(role, [new_step(lots[0], NOW.replace(minute=0, second=0, microsecond=0), 3)])
    before = await own.fetch(HISTORY)
    loose = await own.fetchval(LOOSE)
    assert await packer().pack(role) == loose - 1
    assert await own.fetch(HISTORY) == before
    assert await own.fetchval(LOOSE) == 1
    assert await own.fetchval("SELECT count(*) FROM lot_occupancy_fed") == 2 * len(lots)
    # Packed days are dropped with the single steps of their month.
    assert OCCUPANCY_FED.name(OCCUPANCY_FED.start(DAY)) in await existing(own, OCCUPANCY_FED)
    assert await own.fetchval("SELECT count(*) FROM lot_occupancy_fed_default") == 0
    assert await packer().pack(role) == 0


async def test_a_column_of_one_value_has_it_once(role: Db, own: Db, lots: list[str]) -> None:
    same = {"covered_s": 300.0, "full_s": 0.0, "space_s": 15_000.0, "known_space_s": 15_000.0}
    same |= {"capacity": 50}
    await write(role, [new_step(lots[0], DAY + n * STEP, n, **same) for n in range(0, 288, 2)])
    before = await own.fetch(HISTORY)
    await packer().pack(role)
    assert await own.fetch(HISTORY) == before
    row = await own.fetchrow("SELECT * FROM lot_occupancy_fed")
    assert row is not None
    assert {name: row[name] for name in same} == {name: [value] for name, value in same.items()}
    assert row["free_last"][1] is None
    # A late step of another value; those of one that is known, and of one that is not.
    late = {"covered_s": 0.0, "space_s": 0.0, "known_space_s": 0.0}
    await write(role, [new_step(lots[0], DAY + n * STEP, n, **(same | late)) for n in (2, 5)])
    await packer().pack(role)
    steps = {row["step_at"]: row for row in await own.fetch(HISTORY)}
    assert len(steps) == len(before) + 1
    assert steps[DAY + 5 * STEP]["covered_s"] == 0.0
    for old in before:
        new = steps[old["step_at"]]
        for name in (*same, "free_last"):
            assert new[name] == old[name]


async def test_the_schema_of_before_unpacks(
    role: Db, own: Db, lots: list[str], owner_url: str
) -> None:
    await fill(role, lots)
    same = {"covered_s": 300.0, "space_s": 15_000.0}
    steps = [new_step(lots[0], DAY + (900 + n) * STEP, n, **same) for n in range(9)]
    await write(role, steps)
    single = "SELECT * FROM lot_occupancy ORDER BY lot_id, step_at"
    before = await own.fetch(single)
    await packer().pack(role)
    assert await own.fetch(single) == []
    await asyncio.to_thread(downgrade, owner_url, "0019")
    assert await own.fetch(single) == before
    await asyncio.to_thread(upgrade, owner_url)
    await packer().pack(role)
    assert len(await own.fetch(HISTORY)) == len(before)


async def test_days_that_are_young_stay(role: Db, own: Db, lots: list[str]) -> None:
    await fill(role, lots)
    assert await packer(after_days=10).pack(role) == 0
    loose = await own.fetchval(LOOSE)
    assert await packer(after_days=9).pack(role) == loose // 2
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="feeds still write"):
        await role.fetchval("SELECT pack_steps($1, $2)", NOW - timedelta(hours=47), lots)


async def test_late_steps_are_added(role: Db, own: Db, lots: list[str]) -> None:
    await fill(role, lots, days=1)
    at = DAY + 20 * STEP
    first = new_step(lots[1], at, 4, covered_s=100.0)
    await role.execute("SELECT 1")
    await own.execute("DELETE FROM lot_occupancy WHERE step_at = $1", at)
    await write(role, [first])
    await packer().pack(role)
    known = await own.fetch(HISTORY)
    late = [
        new_step(lots[1], at, 9, covered_s=90.5, free_last=1, free_min=0, free_max=49),
        new_step(lots[0], at, 11),  # nothing was known of it
        new_step(lots[2], DAY - STEP, 12),  # of a day that was not packed
    ]
    await write(role, late)
    # Until it is added, it stands beside: what is summed up is right at once.
    summed = "SELECT sum(covered_s), sum(free_space_s), min(free_min), max(free_max), sum(full_s)"
    both = await own.fetch(f"{summed} FROM lot_history")
    assert await own.fetchval("SELECT count(*) FROM lot_history") == len(known) + 3
    assert await packer().pack(role) == 3
    after = await own.fetch(f"{summed} FROM lot_history")
    assert [pytest.approx(tuple(row)) for row in both] == [tuple(row) for row in after]
    assert await own.fetchval(LOOSE) == 0
    row = await own.fetchrow(
        "SELECT * FROM lot_history WHERE lot_id = $1 AND step_at = $2", lots[1], at
    )
    assert row is not None
    assert row["capacity"] == late[0].capacity
    assert row["covered_s"] == 190.5
    assert row["free_space_s"] == first.free_space_s + late[0].free_space_s
    assert (row["free_last"], row["free_min"], row["free_max"]) == (1, 0, 49)
    others = [one for one in await own.fetch(HISTORY) if one["step_at"] != at]
    assert [one for one in others if one["step_at"] >= DAY] == [
        one for one in known if one["step_at"] != at
    ]


async def test_a_packed_step_hides_the_imported_one(role: Db, own: Db, lots: list[str]) -> None:
    await write(role, [new_step(lots[0], DAY + n * STEP, n) for n in (1, 2)])
    await own.execute(
        "INSERT INTO lot_occupancy_day VALUES ($1, $2, 0, 50, array_fill(5.0::real, '{288}'))",
        lots[0],
        DAY,
    )
    before = await own.fetch(HISTORY)
    assert len(before) == 288
    await packer().pack(role)
    assert await own.fetch(HISTORY) == before


async def test_who_is_cut_off_goes_on(
    role: Db, own: Db, lots: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(role, lots)
    before = await own.fetch(HISTORY)
    monkeypatch.setattr(packing, "LOTS", 1)
    true, calls = queries.pack_steps, [0]

    async def failing(db: Any, day_at: datetime, lot_ids: list[str]) -> int:
        calls[0] += 1
        packed = await true(db, day_at, lot_ids)
        if calls[0] == 2:
            raise ConnectionResetError
        return packed

    monkeypatch.setattr(queries, "pack_steps", failing)
    with pytest.raises(ConnectionResetError):
        await packer().pack(role)
    # The first lot is packed, the second is not: each as a whole.
    assert await own.fetchval("SELECT count(*) FROM lot_occupancy_fed") == 1
    assert await own.fetch(HISTORY) == before
    await packer().pack(role)
    assert await own.fetchval(LOOSE) == 0
    assert await own.fetch(HISTORY) == before


async def test_two_packers_and_a_feed_at_once_lose_nothing(
    role: Db, own: Db, lots: list[str], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(role, lots, days=4)
    monkeypatch.setattr(packing, "LOTS", 1)
    url = as_role(database_url, postgres.INGESTER)
    others = [await asyncpg.connect(url, server_settings={"timezone": "UTC"}) for _ in range(2)]
    before = await own.fetchrow("SELECT sum(covered_s), count(*) FROM lot_history")
    assert before is not None

    async def feed() -> None:
        for n in range(60):
            await write(role, [new_step(lots[n % 3], DAY + n * STEP, n, covered_s=0.5)])

    await asyncio.gather(*(packer().pack(other) for other in others), feed())
    await packer().pack(role)
    assert await own.fetchval(LOOSE) == 0
    after = await own.fetchrow("SELECT sum(covered_s), count(*) FROM lot_history")
    assert after is not None
    assert after["sum"] == pytest.approx(before["sum"] + 30.0)
    for other in others:
        await other.close()


async def test_an_import_goes_first_and_feeds_do_not_wait(
    role: Db, own: Db, lots: list[str], database_url: str
) -> None:
    await fill(role, lots)
    url = as_role(database_url, postgres.INGESTER)
    other = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
    async with transaction(own) as within:
        await within.execute("SELECT pg_advisory_xact_lock($1)", AdvisoryLock.HISTORY)
        task = asyncio.create_task(packer().pack(other))
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

        async def is_waiting() -> bool:
            return bool(await own.fetchval(waiting))

        await until(is_waiting)
        await write(role, [new_step(lots[0], DAY + 3 * STEP, 5)])
    assert await task > 0
    assert await own.fetchval(LOOSE) == 0
    await other.close()


async def test_the_space_of_a_packed_month_is_given_back(
    role: Db, own: Db, lots: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = DAY.replace(day=1) - timedelta(days=40)
    name = OCCUPANCY.name(OCCUPANCY.start(long_ago))
    await make_missing(own, OCCUPANCY, [OCCUPANCY.start(long_ago)])
    monkeypatch.setattr("tests.ingest_mqtt.test_packing.DAY", long_ago.replace(day=3))
    for turn in range(3):
        day = long_ago.replace(day=3 + turn)
        rows = [new_step(lot, day + n * STEP, n) for lot in lots for n in range(288)]
        # Many updates, so that the table is as large as that of a city.
        for _ in range(8):
            await write(role, rows)
    size = "SELECT pg_total_relation_size($1::text::regclass)"
    assert await own.fetchval(size, name) > 1e6
    before = await own.fetch(HISTORY)
    async with own.transaction():
        # Who reads does not wait, and is not waited for.
        await own.execute(f"LOCK TABLE {name} IN ACCESS SHARE MODE")
        await packer().pack(role)
        assert await own.fetch(HISTORY) == before
    await packer().pack(role)
    assert await own.fetchval(size, name) < 1e5
    assert await own.fetch(HISTORY) == before
    for wrong in ("lot", "lot_occupancy", "lot_occupancy_default", "space_event_p20261101"):
        with pytest.raises(asyncpg.RaiseError, match="not a partition"):
            await role.fetchval("SELECT empty_partition($1)", wrong)
    assert (
        await role.fetchval("SELECT empty_partition($1)", OCCUPANCY.name(OCCUPANCY.start(NOW)))
        is False
    )


async def test_the_program_packs(
    role: Db, own: Db, lots: list[str], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(role, lots)
    monkeypatch.setattr(packing, "FIRST_S", 0.0)
    monkeypatch.setattr(packing, "EVERY_S", 0.05)
    wrong = asyncio.create_task(packer("postgresql://nobody@127.0.0.1:1/none").run())
    task = asyncio.create_task(packer(as_role(database_url, postgres.INGESTER)).run())

    async def is_packed() -> bool:
        return bool(await own.fetchval(LOOSE) == 0)

    await until(is_packed)
    assert not wrong.done()  # it tries again
    for each in (wrong, task):
        each.cancel()
    await asyncio.gather(wrong, task, return_exceptions=True)
