"""What is counted of lots of which not all is known: alike in SQL, in memory and in metrics."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import orjson

from ingest_mqtt.publish import state_payload
from ingest_mqtt.wire import StateMessage
from parking_api.city import service
from parking_api.city.models import CityTotals
from parking_api.lots import service as lot_answers
from parking_api.lots.models import LotAnswer, LotAsk
from sql.engine import transaction
from sql.lot_state_store import load_lots, write_states
from sql.lot_states import Lot, LotState, ReportTimes, counted, live_for, sensed, stale_for
from tests.parking_api.builders import Builder
from tests.parking_api.city.loading import loaded, lot_at
from tests.parking_api.serving import get, samples

HERE = {"lon": 120.38, "lat": 36.06}
UNKNOWN = list(range(4, 61))


async def lot(api: httpx.AsyncClient, lot_id: str = "a") -> LotAnswer:
    return LotAnswer.model_validate(await get(api, f"/v1/lots/{lot_id}"))


async def nearest(api: httpx.AsyncClient, min_free: int) -> list[str]:
    found = await get(api, "/v1/nearest", **HERE, min_free=min_free)
    return [one["lot_id"] for one in found["lots"]]


async def test_three_of_sixty_bays_are_reported(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot("a", reporting="bays", capacity=60, district="370202")
    await built.report_bays("a", 60, [1, 2], UNKNOWN)

    told = await lot(api)
    city = CityTotals.model_validate(await get(api, "/v1/city", source="database"))

    assert (told.capacity, told.free_spaces, told.unknown_spaces) == (60, 1, 57)
    assert (told.status, told.data_state) == ("open", "live")
    for total in (city, city.districts[0]):
        assert (total.capacity, total.free_spaces, total.unknown_spaces) == (60, 1, 57)
        assert total.occupancy == 0.6667


async def test_none_free_and_some_unknown_is_not_full(
    api: httpx.AsyncClient, built: Builder
) -> None:
    await built.lot("a", reporting="bays", capacity=4)
    await built.report_bays("a", 4, [1, 2, 3], [4])
    await built.lot("full", reporting="bays", capacity=4)
    await built.report_bays("full", 4, [1, 2, 3, 4], [])

    told = [await lot(api, lot_id) for lot_id in ("a", "full")]

    assert [(one.status, one.data_state, one.free_spaces) for one in told] == [
        ("unknown", "live", 0),
        ("full", "live", 0),
    ]
    assert await nearest(api, 1) == []
    assert await nearest(api, 0) == ["a", "full"]
    listed = await get(api, "/v1/lots", status="unknown")
    assert [one["lot_id"] for one in listed["items"]] == ["a"]


async def test_where_nothing_is_known_there_is_no_count(
    api: httpx.AsyncClient, built: Builder
) -> None:
    await built.lot("a", reporting="bays", capacity=4)
    await built.report_bays("a", 4, [], [1, 2, 3, 4])

    told = await lot(api)
    city = CityTotals.model_validate(await get(api, "/v1/city", source="database"))

    assert (told.free_spaces, told.free_by_class, told.unknown_spaces) == (None, None, 4)
    assert (told.status, told.data_state) == ("unknown", "live")
    assert (city.free_spaces, city.unknown_spaces, city.occupancy, city.live) == (0, 4, None, 1)
    assert await nearest(api, 1) == []
    assert await nearest(api, 0) == ["a"]


async def test_lots_that_are_silent_count_in_their_own_number_and_in_capacity_alone(
    api: httpx.AsyncClient, built: Builder
) -> None:
    for lot_id, age_s in (("a", 60), ("b", 1000), ("c", 9000)):
        await built.lot(lot_id, reporting="bays", capacity=10)
        await built.report_bays(lot_id, 10, [1, 2, 3], [4, 5], age_s=age_s)
    await built.lot("never", capacity=100)

    city = CityTotals.model_validate(await get(api, "/v1/city", source="database"))
    told = await samples(api)

    assert (city.lots, city.live, city.stale, city.unknown) == (4, 1, 1, 2)
    assert (city.capacity, city.free_spaces, city.unknown_spaces) == (130, 10, 4)
    assert city.occupancy == 0.375
    for name, value in (
        ("free_spaces", 10), ("unknown_spaces", 4), ("spaces", 130), ("occupancy_ratio", 0.375)
    ):  # fmt: skip
        assert told[f"onelot_city_{name}", frozenset()] == value


async def test_bays_of_a_lot_that_has_grown_are_unknown(
    api: httpx.AsyncClient, built: Builder
) -> None:
    """Eight bays are registered, and the last report covered five."""
    await built.lot("a", reporting="bays", capacity=8)
    await built.bays("a", *[(120.38, 36.06, "standard")] * 8)
    await built.report_bays("a", 5, [1], [])

    spaces = (await get(api, "/v1/lots/a/spaces"))["items"]
    near = (await get(api, "/v1/spaces/nearest", **HERE))["spaces"]
    now = await built.connection.fetch("SELECT state FROM space_now ORDER BY number")

    expected = ["occupied", *["free"] * 4, *["unknown"] * 3]
    assert [bay["state"] for bay in spaces] == expected
    assert [row["state"] for row in now] == expected
    assert [bay["number"] for bay in near] == [2, 3, 4, 5]


def chance_states(
    lots: dict[str, Lot], built: Builder, seq: int = 1
) -> Iterator[tuple[str, LotState]]:
    """A state for most lots: known, unknown, full and in between, of every age."""
    dice = random.Random(6 + seq)
    for lot_id, one in lots.items():
        if dice.random() < 0.1:
            continue
        edges = [live_for(one.report_interval_s), stale_for(one.report_interval_s)]
        ages = [timedelta(0), *edges, *(edge + timedelta(seconds=60) for edge in edges)]
        # Not on an edge itself: time passes between the answers.
        at = built.now - dice.choice(ages) + timedelta(seconds=30)
        times = ReportTimes(min(at, built.now), built.now, at)
        order = (1, seq)
        if one.reporting == "bays":
            unknown = dice.choice([0, one.all_bays, dice.getrandbits(one.capacity)])
            occupied = dice.choice([one.all_bays, dice.getrandbits(one.capacity)]) & ~unknown
            yield lot_id, sensed(one, order, occupied, unknown, times)
        else:
            capacity = dice.randint(1, one.capacity)
            unknown = dice.choice([0, 0, capacity, dice.randint(0, capacity)])
            free = dice.choice([0, dice.randint(0, capacity - unknown)])
            yield lot_id, counted(order, capacity, free, unknown, times)


async def chance_lots(built: Builder) -> None:
    for number in range(60):
        sensing = number % 2 == 0
        await built.lot(
            f"lot-{number:02d}",
            district="370202" if number % 3 else None,
            reporting="bays" if sensing else "count",
            capacity=1 + number % 20,
            report_interval_s=random.Random(number).choice([10, 60, 400]),
        )
        if sensing:
            await built.bays(f"lot-{number:02d}", *[(120.38, 36.06, "ev")] * (1 + number % 20))


async def test_memory_counts_as_the_database_does(
    api: httpx.AsyncClient, built: Builder, database_url: str
) -> None:
    await chance_lots(built)
    followed = await loaded(database_url)
    lots = await load_lots(built.connection)
    async with transaction(built.connection) as db:
        committed = await write_states(db, dict(chance_states(lots, built)), {})
    for lot_id, state in committed.items():
        followed.apply(msgspec.json.decode(state_payload(lot_id, state), type=StateMessage))
    now = await built.connection.fetchval("SELECT now()")

    listed = (await get(api, "/v1/lots", limit=1000, at=now.isoformat(), source="database"))[
        "items"
    ]
    totals = await get(api, "/v1/city", source="database")

    columns = ("capacity", "free_spaces", "unknown_spaces", "free_by_class", "status", "data_state")
    stay = LotAsk(at=now).stay(now)
    assert {one["status"] for one in listed} == {"open", "full", "unknown"}
    for city in (await loaded(database_url), followed):
        for one in listed:
            told: Any = lot_answers.lot(lot_at(city, one["lot_id"], now), stay)
            assert {key: told[key] for key in columns} == {key: one[key] for key in columns}
        recalled = orjson.loads(
            orjson.dumps(service.city(service.remembered_totals(city, now), degraded=False))
        )
        assert recalled == totals
