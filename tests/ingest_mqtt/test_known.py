"""What the ingester knows by heart: read again when others write, and brought into line."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from ingest_mqtt.known import Known
from ingest_mqtt.writer import Writer
from sql.engine import Db
from sql.lot_state_store import load_states
from tests.ingest_mqtt.builders import message, snapshot
from tests.ingest_mqtt.parts import open_writer


@pytest.fixture
async def writer(db: Db, database_url: str) -> AsyncIterator[Writer]:
    del db
    async with open_writer(database_url, lambda: datetime.now(UTC)) as made:
        yield made


async def register(db: Db, capacity: int) -> None:
    await db.execute("UPDATE lot SET capacity = $1 WHERE lot_id = 'bays'", capacity)


async def test_a_state_that_is_out_of_line_is_fitted_when_it_is_read(
    db: Db, writer: Writer
) -> None:
    await writer.write([snapshot(0b1), message("gates", "count", free=7)])
    await register(db, 8)
    known = Known()
    await known.read(db)
    assert known.take_changed() == {"bays", "gates"}
    state = known.committed["bays"].state
    assert (state.capacity, state.free_spaces, state.order) == (8, 7, (100, 1))
    assert await load_states(db) == known.committed
    assert known.committed["bays"].version > writer.known.committed["bays"].version

    await register(db, 12)
    known.note(None, 0, "registry", "bays nowhere")
    await known.read_due(db)
    assert (known.take_changed(), known.is_due) == ({"bays"}, False)
    assert known.committed["bays"].state.unknown_spaces == 4
    assert known.registry.lots["bays"].capacity == 12
    assert known.registry.lots.keys() == {"bays", "gates", "other"}


async def test_a_batch_that_an_import_overtook_is_decided_again_at_once(
    db: Db, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await writer.write([snapshot(0b1111_1111_1111)])
    openings = writer.openings
    await register(db, 5)
    await Known().read(db)

    async def never(_: float) -> None:
        pytest.fail("it waited")

    monkeypatch.setattr("asyncio.sleep", never)
    written = await writer.write(
        [
            message("bays", "spaces", seq=2, free=[8]),
            message("bays", "spaces", seq=3, free=[1]),
            message("gates", "count", free=7),
        ]
    )
    acks = [ack for outcome in written.outcomes for ack in outcome.acks]
    assert [ack.reason or ack.result for ack in acks] == ["out_of_range", "applied", "applied"]
    states = await load_states(db)
    assert states == writer.known.committed
    assert (states["bays"].state.capacity, states["bays"].state.occupied) == (5, 0b1_1110)
    assert writer.openings == openings


async def test_a_notification_without_lots_has_everything_read(db: Db, writer: Writer) -> None:
    await writer.write([snapshot(0b1)])
    woken: list[int] = []
    writer.known.woken = lambda: woken.append(1)
    writer.known.note(None, 0, "registry", "")
    assert (writer.known.is_due, woken) == (True, [1])
    await db.execute("DELETE FROM lot WHERE lot_id = 'bays'")
    await writer.tend()
    assert "bays" not in writer.known.committed
    assert "bays" not in writer.known.registry.lots
    assert writer.known.take_changed() >= {"bays"}
