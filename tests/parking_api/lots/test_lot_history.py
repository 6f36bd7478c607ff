"""What `lot_history` says of a day that both feeds and an import have something of."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from deploy import postgres
from sql.engine import Db
from sql.partitions import OCCUPANCY_DAYS, make_missing
from tests.parking_api.builders import Builder
from tests.servers import as_role

DAY = datetime(2026, 11, 20, tzinfo=UTC)
STEP = timedelta(seconds=300)
PACK = "INSERT INTO lot_occupancy_day VALUES ('a', $1, $2, 10, $3, $4)"


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[Db]:
    """The commands' role, which imports."""
    connection = await asyncpg.connect(database_url, server_settings={"timezone": "UTC"})
    await make_missing(connection, OCCUPANCY_DAYS, [DAY.date().replace(day=1)])
    yield connection
    await connection.close()


def day(**steps: float) -> list[float | None]:
    """The 288 steps of a day: `s7=4.0` is the seventh after midnight."""
    return [steps.get(f"s{place}") for place in range(288)]


async def test_a_step_of_a_feed_hides_the_imported_one(app: Db, built: Builder) -> None:
    await app.execute(PACK, DAY, 0, day(s0=10.0, s1=2.5, s287=0.0), None)
    await app.execute(PACK, DAY, 1, day(s2=4.0), [100.0] * 288)
    await built.step("a", DAY + STEP, free_last=9, free_min=9, free_max=9, free_space_s=2700.0)
    rows = await app.fetch(
        "SELECT * FROM lot_history WHERE lot_id = 'a' AND day_at = $1 ORDER BY step_at", DAY
    )
    assert [
        (row["step_at"], row["covered_s"], row["free_space_s"], row["free_last"], row["full_s"])
        for row in rows
    ] == [
        (DAY, 300, 0, 0, 300),
        (DAY + STEP, 300, 2700, 9, 0),
        (DAY + 2 * STEP, 100, 600, 6, 0),
        (DAY + 287 * STEP, 300, 3000, 10, 0),
    ]
    for row in rows:
        assert row["space_s"] == row["known_space_s"] == 10 * row["covered_s"]


async def test_bounds_of_a_mean_that_is_no_whole_number(app: Db) -> None:
    await app.execute(PACK, DAY, 0, day(s0=2.25), None)
    row = await app.fetchrow("SELECT free_min, free_last, free_max FROM lot_history")
    assert row is not None
    assert tuple(row) == (7, 8, 8)


@pytest.mark.parametrize(
    ("at", "occupied", "covered_s", "named"),
    [
        (DAY + STEP, day(s0=1.0), None, "day_at"),
        (DAY, day(s0=10.5), None, "occupied"),
        (DAY, day(s0=-1.0), None, "occupied"),
        (DAY, day()[1:], None, "occupied"),
        (DAY, day(s0=float("nan")), None, "occupied"),
        (DAY, day(s0=1.0), [0.0] * 288, "covered_s"),
        (DAY, day(s0=1.0), [301.0] * 288, "covered_s"),
        (DAY, day(s0=1.0), [300.0], "covered_s"),
    ],
)
async def test_what_no_day_can_hold(
    app: Db, at: datetime, occupied: list[float], covered_s: list[float] | None, named: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match=f"lot_occupancy_day_{named}_check"):
        await app.execute(PACK, at, 0, occupied, covered_s)


async def test_nobody_changes_what_was_brought(app: Db, database_url: str) -> None:
    await app.execute(PACK, DAY, 0, day(s0=1.0), None)
    for role in postgres.PASSWORDS:
        if role == postgres.OWNER:
            continue
        db = await asyncpg.connect(as_role(database_url, role))
        for deed in ("UPDATE lot_occupancy_day SET capacity = 20", "DELETE FROM lot_occupancy_day"):
            with pytest.raises(
                (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)
            ):
                await db.execute(deed)
        await db.close()
