"""While states change: each lot is as SQL has it for that version, and so are set and order.

Every state that the database has had is kept in a table. The messages about them come late, twice
and in any order. What memory then answers is compared with what SQL answers of the versions that
memory has.
"""

import random
from typing import Any

import msgspec

from ingest_mqtt.publish import state_payload
from ingest_mqtt.wire import StateMessage
from parking_api.city.memory import City
from parking_api.city.queries import LotNow
from parking_api.city.search import Near, Wanted, nearest_bays, nearest_lots
from parking_api.city.states import micros
from parking_api.lots import queries as lot_queries
from parking_api.spaces import queries as bay_queries
from sql.engine import Db, transaction
from sql.kinds import SpaceClass
from sql.lot_state_store import load_lots, write_states
from tests.parking_api.builders import Builder
from tests.parking_api.city.loading import loaded
from tests.parking_api.lots.test_counts import chance_lots, chance_states
from tests.parking_api.recorded.city import pin

ROUNDS = 12
QUESTIONS = 10


def decoded(lot_id: str, state: Any) -> StateMessage:
    return msgspec.json.decode(state_payload(lot_id, state), type=StateMessage)


async def as_in_memory(db: Db, city: City) -> None:
    """Bring the database's states to the versions that memory has, within a transaction."""
    versions = {lot.facts.lot_id: lot.state.version for lot in city.table.lots if lot.state}
    await db.execute("DELETE FROM lot_state")
    await db.execute(
        """
        INSERT INTO lot_state SELECT k.*
        FROM kept AS k
        INNER JOIN unnest($1::text[], $2::bigint[]) AS m (lot_id, version) USING (lot_id, version)
        """,
        list(versions),
        list(versions.values()),
    )
    assert await db.fetchval("SELECT count(*) FROM lot_state") == len(versions)


async def compare(db: Db, city: City, now: int, dice: random.Random) -> int:
    """Compare answers; return how many lots and bays they had."""
    rows = await lot_queries.lots(db, most=1000)
    assert rows == [city.table.at(lot, now) for lot in city.table.lots]
    assert all(isinstance(row, LotNow) for row in rows)
    seen = 0
    for _ in range(QUESTIONS):
        near = Near(dice.uniform(120.35, 120.41), dice.uniform(36.03, 36.09), 3000.0, 10)
        place: dict[str, Any] = {"lon": near.lon, "lat": near.lat, "radius_m": 3000.0, "most": 10}
        min_free = dice.choice([0, 1, 4])
        space_class: SpaceClass | None = dice.choice([None, "ev"])
        found = nearest_lots(city.table, near, Wanted(min_free, space_class), now).indices
        told = await lot_queries.nearest_lots(
            db,
            **place,
            min_free=min_free,
            space_class=space_class,
            lot_type=None,
            height_m=None,
            opens_by=None,
            closes_after=None,
        )
        ids = [row.lot_id for row in told if row.lot_id is not None]
        lots = city.table.lots
        assert [lots[index].facts.lot_id for index in found] == ids
        bays = nearest_bays(city.table, near, Wanted(space_class=space_class), now).indices
        free = await bay_queries.nearest_spaces(db, **place, space_class=space_class, height_m=None)
        numbers = [(row.lot_id, row.number) for row in free if row.lot_id is not None]
        owners = zip(city.table.bays.lots_of(bays), city.table.bays.numbers[bays], strict=True)
        assert [(lots[index].facts.lot_id, number) for index, number in owners] == numbers
        seen += len(ids) + len(numbers)
    return seen


async def test_any_moment_is_one_that_sql_would_tell(built: Builder, database_url: str) -> None:
    await chance_lots(built)
    db = built.connection
    await db.execute(
        """
        UPDATE lot SET geog = st_point(
            120.35 + right(lot_id, 2)::integer * 0.001, 36.03 + right(lot_id, 1)::integer * 0.006,
            4326
        );
        UPDATE space SET geog = st_translate(lot.geog::geometry, number * 0.0001, 0)
        FROM lot WHERE lot.lot_id = space.lot_id;
        UPDATE lot SET
            closed_from = now() + (right(lot_id, 1)::integer - 5) * interval '1 hour',
            closed_until = now() + (right(lot_id, 1)::integer - 3) * interval '1 hour'
        WHERE right(lot_id, 2)::integer % 3 = 0;
        CREATE TABLE kept (LIKE lot_state, PRIMARY KEY (lot_id, version));
        """
    )
    now = built.now
    await pin(db, now)
    city, lots = await loaded(database_url), await load_lots(db)
    dice, waiting, compared = random.Random(5), list[StateMessage](), 0
    known: dict[str, Any] = {}
    await db.execute("SET search_path = pinned, pg_catalog, public")
    for seq in range(1, ROUNDS + 1):
        async with transaction(db) as within:
            states = dict(chance_states(lots, built, seq))
            committed = await write_states(within, states, known)
        known |= committed
        await db.execute("INSERT INTO kept SELECT * FROM lot_state ON CONFLICT DO NOTHING")
        waiting += [decoded(lot_id, state) for lot_id, state in committed.items()]
        dice.shuffle(waiting)
        # A third stays on its way; some come twice.
        arrived = waiting[len(waiting) // 3 :]
        waiting = waiting[: len(waiting) // 3]
        for message in [*arrived, *dice.choices(arrived, k=20)]:
            city.apply(message)
        undo = db.transaction()
        await undo.start()
        await as_in_memory(db, city)
        compared += await compare(db, city, micros(now), dice)
        await undo.rollback()
    assert compared > ROUNDS * QUESTIONS
    for message in waiting:
        city.apply(message)
    assert await compare(db, city, micros(now), dice)
