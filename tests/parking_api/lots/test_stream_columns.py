"""What `/v1/stream?f=columns` tells: states alone, of many lots at once."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from parking_api.city.states import micros
from parking_api.lots import streaming
from parking_api.lots.stream_models import StreamAsk
from parking_api.lots.streaming import Changes, Watched
from tests.parking_api.city.loading import loaded
from tests.parking_api.lots.events import HEARTBEAT, Event, events, soon
from tests.parking_api.lots.telling import Told
from tests.parking_api.serving import refused

BOX = StreamAsk(bbox="120.3,36.0,120.5,36.1", f="columns")
COLUMNS = ("capacity", "free_spaces", "unknown_spaces", "status", "data_state", "observed_at")


def lots_of(event: Event) -> dict[str, dict[str, Any]]:
    """Turn columns into lots as events `lots` have them, but for places and versions."""
    assert event.kind == "states"
    told = event.data
    ids = told["lot_id"]
    assert ids == sorted(ids)
    assert {len(told[name]) for name in COLUMNS} == {len(ids)}
    assert told["closed"].keys() <= set(ids)
    return {
        lot_id: {name: told[name][place] for name in COLUMNS} | told["closed"].get(lot_id, {})
        for place, lot_id in enumerate(ids)
    }


async def test_all_lots_come_first_then_those_that_change(told: Told) -> None:
    reader = told.read(BOX)
    first = await soon(reader)
    told.report("c", 1)
    told.report("b", 7)
    second = await soon(reader)
    told.report("a", 0)
    told.report("b", 6)
    third = await soon(reader)

    assert (first.data["all"], second.data["all"], third.data["all"]) == (True, False, False)
    assert first.data["as_of"] is not None
    assert {lot: one["free_spaces"] for lot, one in lots_of(first).items()} == {"a": 3, "b": None}
    assert {lot: one["free_spaces"] for lot, one in lots_of(second).items()} == {"b": 7}
    # Both in one event.
    assert {lot: one["status"] for lot, one in lots_of(third).items()} == {"a": "full", "b": "open"}
    assert lots_of(first)["a"]["observed_at"] == int((told.built.now).timestamp()) - 60


async def test_what_time_changes_is_told_too(told: Told) -> None:
    reader = told.read(BOX)
    found = [lots_of(await soon(reader))["a"]]
    for age in (timedelta(minutes=20), timedelta(minutes=40)):
        told.now = told.built.now + age
        found.append(lots_of(await soon(reader))["a"])

    assert [one["data_state"] for one in found] == ["live", "stale", "unknown"]
    assert [one["free_spaces"] for one in found] == [3, 3, None]
    assert [one["unknown_spaces"] for one in found] == [0, 0, 10]


async def test_a_closure_is_told_from_its_begin_to_its_end(told: Told) -> None:
    begin, end = (told.built.now + timedelta(minutes=minutes) for minutes in (1, 2))
    await told.built.connection.execute(
        "UPDATE lot SET closed_from = $1, closed_until = $2, closed_reason = '检修'"
        " WHERE lot_id = 'a'",
        *(begin, end),
    )
    await told.city.read()
    reader = told.read(BOX)
    before = await soon(reader)
    told.now = begin
    closed = await soon(reader)
    told.now = end
    after = await soon(reader)

    assert (before.data["closed"], after.data["closed"]) == ({}, {})
    assert (closed.data["lot_id"], closed.data["status"]) == (["a"], ["closed"])
    (closure,) = closed.data["closed"].values()
    assert closure["closed_reason"] == "检修"
    assert datetime.fromisoformat(closure["closed_until"]) == end


async def test_lots_that_come_or_go_are_told_all_anew(told: Told) -> None:
    reader = told.read(BOX)
    await soon(reader)
    await told.built.lot("new", 120.4, 36.06)
    await told.city.read()
    came = await soon(reader)

    assert came.data["all"]
    assert list(lots_of(came)) == ["a", "b", "new"]


async def test_nothing_new_is_no_event(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = told.read(BOX)
    await soon(reader)
    monkeypatch.setattr(streaming, "HEARTBEAT_S", 0.05)
    told.report("c", 1)
    assert (await soon(reader)).kind == HEARTBEAT


async def test_a_box_without_lots_is_told_so(told: Told) -> None:
    nowhere = await soon(told.read(StreamAsk(bbox="0,0,1,1", f="columns")))
    assert (nowhere.data["all"], lots_of(nowhere)) == (True, {})


async def test_readers_of_the_same_lots_share_one_text(told: Told) -> None:
    watched = Watched(told.city.table, micros(told.now))
    both, one = np.arange(2), np.arange(1)
    text = watched.columns(both, None, are_all=True)
    assert watched.columns(np.arange(2), None, are_all=True) is text
    # What has changed is no answer to who knows nothing.
    assert watched.columns(both, None, are_all=False) != text
    assert watched.columns(one, None, are_all=True) != text
    told.report("a", 9)
    watched.look(told.city.table, micros(told.now))
    assert watched.columns(both, None, are_all=True) != text


async def test_texts_that_are_kept_are_bounded(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_MOST_TEXTS", 2)
    watched = Watched(told.city.table, micros(told.now))
    for count in (1, 2, 3, 1, 2, 3):
        watched.columns(np.arange(count), None, are_all=True)
        assert len(watched._columns) <= 2


async def test_it_says_what_events_of_lots_say(big_city_url: str, big_city_at: datetime) -> None:
    city = await loaded(big_city_url)
    changes = Changes(city, lambda: big_city_at, 2, 2, lambda _: None)
    box = "119,35,122,38"
    other = await soon(events(changes.events(StreamAsk(bbox=box))))
    columns = await soon(events(changes.events(StreamAsk(bbox=box, f="columns"))))

    found = lots_of(columns)
    assert columns.data["as_of"] == other.data["as_of"]
    assert list(found) == other.lots
    assert {"open", "full", "closed", "unknown"} == {one["status"] for one in found.values()}
    assert len(columns.data["closed"]) > 10
    for lot in other.data["lots"]:
        at = lot["observed_at"]
        seconds = None if at is None else int(datetime.fromisoformat(at).timestamp())
        known = {name: value for name, value in lot.items() if name not in {"location", "version"}}
        assert found[lot["lot_id"]] | {"lot_id": lot["lot_id"]} == known | {"observed_at": seconds}


async def test_a_large_event_is_sent_in_pieces(big_city_url: str, big_city_at: datetime) -> None:
    city = await loaded(big_city_url)
    changes = Changes(city, lambda: big_city_at, 1, 1, lambda _: None)
    changes.close()
    ask = StreamAsk(bbox="119,35,122,38", f="columns")
    pieces = [piece async for piece in changes.events(ask)]
    assert len(pieces) > 2
    assert max(map(len, pieces)) == streaming._PIECE_BYTES
    assert pieces[-1].endswith(b"\n\n")


async def test_the_form_is_one_of_two(big_api: httpx.AsyncClient) -> None:
    assert await refused(big_api, "/v1/stream", bbox="120,36,121,37", f="geojson") == ["f"]
