"""What `/v1/stream` tells, and when: on a clock of the test's own."""

import asyncio
import random
from datetime import datetime, time, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from parking_api.city.distances import distances_m
from parking_api.city.states import micros
from parking_api.lots import streaming
from parking_api.lots.stream_models import StreamAsk
from parking_api.lots.streaming import Changes, TooManyOwnReadersError, TooManyReadersError, Watched
from parking_api.settings import ApiSettings
from tests.parking_api.city.loading import loaded
from tests.parking_api.lots.events import HEARTBEAT, events, soon
from tests.parking_api.lots.telling import Told
from tests.parking_api.serving import ageless, get, refused


async def test_the_present_state_comes_first_then_changes(told: Told) -> None:
    reader = told.read()
    first = await soon(reader)
    told.report("c", 1)
    told.report("b", 7)
    second = await soon(reader)
    other = await soon(told.read())

    assert (first.kind, first.lots) == ("lots", ["a", "b"])
    assert [lot["free_spaces"] for lot in first.data["lots"]] == [3, None]
    assert first.data["as_of"] is not None
    assert (second.kind, second.data["lot_id"], second.data["free_spaces"]) == ("lot", "b", 7)
    assert [lot["free_spaces"] for lot in other.data["lots"]] == [3, 7]


async def test_lots_may_be_named(told: Told) -> None:
    reader = told.read(StreamAsk(lots="new,c,a,nowhere,a"))
    first = await soon(reader)
    told.report("b", 7)
    told.report("c", 1)
    second = await soon(reader)
    await told.built.lot("new", 120.4, 36.06)
    await told.city.read()

    assert first.lots == ["a", "c"]
    assert (second.kind, second.data["lot_id"], second.data["free_spaces"]) == ("lot", "c", 1)
    assert (await soon(reader)).lots == ["a", "c", "new"]


async def test_only_the_newest_of_many_states_is_told(told: Told) -> None:
    reader = told.read()
    await soon(reader)
    for free_spaces in range(5):
        told.report("a", free_spaces)
    told.report("b", 1)

    found = [await soon(reader), await soon(reader)]

    assert [(one.data["lot_id"], one.data["free_spaces"]) for one in found] == [("a", 4), ("b", 1)]


async def test_what_time_changes_is_told_too(told: Told) -> None:
    reader = told.read()
    found = [(await soon(reader)).data["lots"][0]]
    for age in (timedelta(minutes=20), timedelta(minutes=40)):
        told.now = told.built.now + age
        found.append((await soon(reader)).data)

    assert [one["data_state"] for one in found] == ["live", "stale", "unknown"]
    assert [one["status"] for one in found] == ["open", "open", "unknown"]
    assert len({one["version"] for one in found}) == 1


async def test_a_lot_that_opens_is_told(told: Told) -> None:
    night = told.built.now.replace(hour=5, minute=59, second=30)
    told.now = told.built.now = night if night > told.built.now else night + timedelta(days=1)
    await told.built.connection.execute(
        "UPDATE lot SET opens_at = $1, closes_at = $2 WHERE lot_id = 'a'", time(6), time(7)
    )
    await told.city.read()
    told.report("a", 5)
    told.now = told.built.now
    reader = told.read()
    before = (await soon(reader)).data["lots"][0]
    told.now += timedelta(seconds=40)
    after = (await soon(reader)).data

    assert (before["lot_id"], before["status"]) == ("a", "closed")
    assert (after["lot_id"], after["status"]) == ("a", "open")


async def test_lots_that_come_go_or_move_are_told_all_anew(told: Told) -> None:
    reader = told.read()
    await soon(reader)
    await told.built.lot("new", 120.4, 36.06)
    await told.city.read()
    came = await soon(reader)
    await told.built.connection.execute(
        "UPDATE lot SET geog = 'POINT(0 0)'::geography WHERE lot_id = 'a'"
    )
    await told.city.read()
    moved = await soon(reader)

    assert (came.kind, came.lots) == ("lots", ["a", "b", "new"])
    assert (moved.kind, moved.lots) == ("lots", ["b", "new"])


async def test_a_city_that_is_read_again_as_it_was_changes_nothing(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = told.read()
    await soon(reader)
    await told.city.read()
    monkeypatch.setattr(streaming, "HEARTBEAT_S", 0.05)
    silent = await soon(reader)
    await told.built.report("b", 8)
    await told.city.read()
    told.now += timedelta(seconds=1)
    # Without the broker a state comes by reading.
    while (change := await soon(reader)).kind == HEARTBEAT:
        pass

    assert silent.kind == HEARTBEAT
    assert (change.data["lot_id"], change.data["free_spaces"]) == ("b", 8)


async def test_a_stream_that_is_closed_ends_at_once(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "EVERY_S", 3600.0)
    reader = told.read()
    await soon(reader)
    ending = asyncio.create_task(anext(reader, None))
    await asyncio.sleep(0)
    told.changes.close()
    async with asyncio.timeout(20):
        assert await ending is None
    # Who comes now is told what there is, and sent away.
    assert [one.kind async for one in told.read()] == ["lots"]


async def test_readers_are_bounded(told: Told) -> None:
    changes = told.changes
    with changes.reading("a"):
        # Of one client, one; and two in all.
        with pytest.raises(TooManyOwnReadersError):
            changes.admit("a")
        changes.admit("b")
        changes.admit(None)
        with changes.reading(None), pytest.raises(TooManyReadersError):
            changes.admit("b")
    changes.admit("a")
    assert told.readers == [1, 2, 1, 0]


def test_readers_leave_connections_to_others() -> None:
    assert ApiSettings().most_readers == 400
    assert ApiSettings(max_connections=10).most_readers == 5
    assert ApiSettings(max_readers=0).most_readers == 0


async def test_all_readers_share_one_text(told: Told) -> None:
    watched = Watched(told.city.table, micros(told.now))
    lots = np.arange(3)
    before, again = watched.texts(lots, "wgs84"), watched.texts(lots, "wgs84")
    told.report("a", 9)
    watched.look(told.city.table, micros(told.now))
    after = watched.texts(lots, "wgs84")

    assert all(one is other for one, other in zip(before, again, strict=True))
    assert [one is other for one, other in zip(before, after, strict=True)] == [False, True, True]


async def test_lots_around_a_place_are_those_within_the_distance(big_city_url: str) -> None:
    table = (await loaded(big_city_url)).table
    dice = random.Random(9)
    found = 0
    for _ in range(300):
        lon, lat = dice.uniform(119.5, 121.1), dice.uniform(35.5, 37.2)
        radius_m = dice.choice([1, 300, 2000, 20_000])
        far_m = distances_m(lon, lat, table.lons, table.lats)
        near = table.within(lon, lat, radius_m)
        assert near.tolist() == np.flatnonzero(far_m <= radius_m).tolist()
        found += len(near)
    assert found > 1000
    assert table.within(180, 90, 20_000).tolist() == []


async def test_it_says_what_other_answers_say(
    big_city_url: str, big_city_at: datetime, big_api: httpx.AsyncClient
) -> None:
    city = await loaded(big_city_url)
    changes = Changes(city, lambda: big_city_at, 1, 1, lambda _: None)
    box = "120.25,36.0,120.45,36.15"
    first = await soon(events(changes.events(StreamAsk(bbox=box))))
    page = ageless(await get(big_api, "/v1/lots", bbox=box, limit=1000))

    assert page["next"] is None
    assert len(first.lots) > 100
    for one, other in zip(first.data["lots"], page["items"], strict=True):
        assert one.items() <= other.items()


async def test_what_is_asked_for_is_a_box_a_place_or_names(big_api: httpx.AsyncClient) -> None:
    box, place = {"bbox": "120.3,36.0,120.5,36.1"}, {"lon": 120.3, "lat": 36}
    lots = {"lots": "a,b"}
    wrong_ones: list[dict[str, Any]] = [
        *({}, {"lon": 120.3}, {"radius_m": 9}, {"lon": 120.3, "radius_m": 9}),
        *(box | place, box | {"radius_m": 9}, box | lots, place | lots, {"lon": 120.3} | lots),
    ]
    for wrong in wrong_ones:
        assert await refused(big_api, "/v1/stream", **wrong) == [""]
    assert await refused(big_api, "/v1/stream", bbox="100,36,120,37") == ["bbox"]
    assert await refused(big_api, "/v1/stream", **place, radius_m=20_001) == ["radius_m"]
    assert await refused(big_api, "/v1/stream", **place, colour="red") == ["colour"]
    for names in ("", "a,", ",a", "a b", "A", "a," * 50 + "a"):
        assert await refused(big_api, "/v1/stream", lots=names) == ["lots"]
