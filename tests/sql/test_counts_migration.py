"""A database of before, with what wild clocks and changed lots left in it, is repaired."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg

from sql.lot_state_store import load_lots, load_states
from sql.lot_states import misfits
from sql.migrate import downgrade, upgrade
from tests.ingest_mqtt.conftest import CITY

STATE = """
INSERT INTO lot_state (
    lot_id, epoch, seq, version, capacity, free_spaces, occupied_bits, unknown_bits,
    free_standard, free_accessible, free_ev, free_large, observed_at, received_at, committed_at
) VALUES ($1, 1, 1, 1, $2, $3, $4, $5, $6, $7, $7, $7, $8, $9, $9)
"""
STEP = """
INSERT INTO lot_occupancy (
    lot_id, step_at, capacity, covered_s, free_space_s, free_last, free_min, free_max, full_s
) VALUES ('gates', $1, 50, $2, $3, $4, $4, $4, 0)
"""


async def test_old_states_and_steps_are_repaired(owner_url: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    step = datetime.fromtimestamp((now.timestamp() - 3600) // 300 * 300, UTC)
    db = await asyncpg.connect(owner_url, server_settings={"timezone": "UTC"})
    await db.execute(CITY)
    await asyncio.to_thread(downgrade, owner_url, "0008")
    # Of twelve bays the state covers five; a clock of the year 9999, one of the year 1.
    ahead, behind = datetime(9999, 12, 31, tzinfo=UTC), datetime(1, 1, 2, tzinfo=UTC)
    await db.execute(STATE, "bays", 5, 5, b"\0", b"\0", 5, 0, ahead, now)
    await db.execute(STATE, "other", 8, 6, b"\1", b"\2", 6, 0, behind, now)
    await db.execute(STATE, "gates", 50, 7, None, None, None, None, now, now)
    for at, covered_s, free_space_s, last in (
        (step, 6000.0, 60_000.0, 9),
        (step + timedelta(minutes=5), 200.0, 1500.0, None),
        (now + timedelta(days=300), 100.0, 100.0, 1),
    ):
        await db.execute(STEP, at, covered_s, free_space_s, last)

    await asyncio.to_thread(upgrade, owner_url)

    states = await load_states(db)
    assert misfits(await load_lots(db), states) == {}
    assert states["bays"].state.nothing_known
    assert states["bays"].state.observed_at == states["bays"].state.history_at == now
    assert (states["other"].state.unknown_spaces, states["other"].state.free_spaces) == (1, 6)
    assert states["other"].state.observed_at == datetime(2000, 1, 1, tzinfo=UTC)
    rows = await db.fetch(
        "SELECT covered_s, free_space_s, space_s, free_min, free_last, free_max"
        " FROM lot_occupancy ORDER BY step_at"
    )
    assert [tuple(row) for row in rows] == [
        (300.0, 3000.0, 15_000.0, 9, 9, 10),
        (200.0, 1500.0, 10_000.0, 7, 8, 8),
    ]
    await db.close()
