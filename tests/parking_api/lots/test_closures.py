"""Lots that are closed for a time, and lots that are retired: by whom, and what answers say."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from parking_api.audit.service import verify
from parking_api.lots.models import LotAnswer, LotCollection, LotPage
from sql.engine import Db
from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Bureau
from tests.parking_api.feeding import People
from tests.parking_api.people.keys import body, keyed
from tests.parking_api.processes import serving as processes
from tests.parking_api.serving import get, serving
from tests.polling import until

HERE = {"lon": 120.38, "lat": 36.06}
ALL = {**HERE, "min_free": 0}
SOURCES = ("memory", "database")
PATH = "/v1/lots/garage"
# The promise is 2 s; other tests may keep the machine busy.
WITHIN_S = 10.0


@pytest.fixture
async def garage(built: Builder) -> None:
    """A lot of four bays, two of them free, and one beside it that counts."""
    await built.lot("garage", reporting="bays", capacity=4, district="370202")
    await built.bays("garage", *[(120.38, 36.06, "standard")] * 4)
    await built.report_bays("garage", 4, [1, 2], [])
    await built.lot("street", 120.381, lot_type="on_street", district="370202")
    await built.report("street", 3)


async def change(
    api: httpx.AsyncClient, who: dict[str, str], status: int = 200, **members: Any
) -> Any:
    return body(await api.patch(PATH, json=members, headers=who), status)


def ids(answer: Any, key: str) -> list[str]:
    return [one["lot_id"] for one in answer[key]]


def at(built: Builder, **ago: float) -> str:
    return (built.now + timedelta(**ago)).isoformat()


async def test_a_lot_that_is_closed_for_a_weekend(
    api: httpx.AsyncClient, built: Builder, people: People, garage: None
) -> None:
    del garage
    until_monday = (built.now + timedelta(days=2)).astimezone().isoformat()

    told = await change(
        api, people.operator,
        closed_from=at(built, seconds=-1), closed_until=until_monday, closed_reason="地面翻新",
    )  # fmt: skip

    assert told["closed_until"].endswith("+08:00")
    assert datetime.fromisoformat(told["closed_until"]) == built.now + timedelta(days=2)
    for source in SOURCES:
        one = await get(api, PATH, source=source)
        LotAnswer.model_validate(one)
        assert (one["status"], one["free_spaces"]) == ("closed", 2)
        assert (one["closed_until"], one["closed_reason"]) == (told["closed_until"], "地面翻新")
        page = await get(api, "/v1/lots", source=source)
        LotPage.model_validate(page)
        assert page["items"][0]["closed_reason"] == "地面翻新"
        assert "closed_until" not in page["items"][1]
        features = await get(api, "/v1/lots", f="geojson", source=source)
        LotCollection.model_validate(features)
        assert features["features"][0]["properties"]["closed_until"] == told["closed_until"]
        assert ids(await get(api, "/v1/lots", status="closed", source=source), "items") == [
            "garage"
        ]
        assert ids(await get(api, "/v1/nearest", **ALL, source=source), "lots") == ["street"]
        assert (await get(api, "/v1/spaces/nearest", **HERE, source=source))["spaces"] == []
        # As with a lot outside its hours: its spaces are counted as they are.
        city = await get(api, "/v1/city", source=source)
        assert (city["lots"], city["free_spaces"]) == (2, 5)

    await change(api, people.operator, closed_from=None)

    assert "closed_until" not in await get(api, PATH)
    assert ids(await get(api, "/v1/nearest", **ALL), "lots") == ["garage", "street"]


async def test_it_opens_and_closes_by_the_clock_alone(
    database_url: str, built: Builder, people: People, garage: None
) -> None:
    del garage
    now = built.now
    await built.connection.execute(
        "UPDATE lot SET closed_from = $1, closed_until = $2 WHERE lot_id = 'garage'",
        now + timedelta(seconds=30, microseconds=5), now + timedelta(seconds=50),
    )  # fmt: skip
    del people
    async with serving(database_url, lambda: now, reads_again=False) as api:
        found = []
        for seconds in (0, 30, 31, 49, 50):
            now = built.now + timedelta(seconds=seconds)
            found.append((await get(api, PATH))["status"])
        # The price is that of the whole minute, in which it was closed; it is so no more.
        for source in SOURCES:
            assert "closes_at" not in await get(api, PATH, source=source)
            through = {"open_throughout": True, "source": source}
            assert "garage" in ids(await get(api, "/v1/lots", **through), "items")
            assert "garage" in ids(await get(api, "/v1/nearest", **HERE, **through), "lots")
    assert found == ["open", "open", "closed", "closed", "open"]


async def test_a_stay_into_a_closure_says_when_it_closes(
    api: httpx.AsyncClient, built: Builder, people: People, garage: None
) -> None:
    del garage
    begins = built.now + timedelta(minutes=30)
    told = await change(api, people.operator, closed_from=begins.isoformat())
    assert told["closed_until"] is None

    for source in SOURCES:
        stay = {"duration_min": 60, "source": source}
        near = (await get(api, "/v1/nearest", **HERE, **stay))["lots"]
        assert [lot.get("closes_at") for lot in near] == [told["closed_from"], None]
        one = await get(api, PATH, **stay)
        assert (one["status"], one["closes_at"]) == ("open", told["closed_from"])
        assert "closed_until" not in one
        through = {"open_throughout": True, **stay}
        assert ids(await get(api, "/v1/nearest", **HERE, **through), "lots") == ["street"]
        assert ids(await get(api, "/v1/lots", **through), "items") == ["street"]
        brief = {"duration_min": 10, "open_throughout": True, "source": source}
        assert ids(await get(api, "/v1/lots", **brief), "items") == ["garage", "street"]


async def test_a_retired_lot_is_in_no_answer_but_its_history(
    bureau: Bureau, database_url: str
) -> None:
    who = await keyed(database_url, "zhao", "operator", operator_id="op-a")
    api, now = bureau.api, bureau.clock.now
    target = {"zones": ["z-1"], "lot_types": ["underground"]}
    await bureau.published(applies_to=target)
    entry = now + timedelta(days=20)
    leaving = (entry + timedelta(hours=1)).isoformat()
    stay = {"lot_id": "garage", "entry": entry.isoformat(), "exit": leaving}
    assert (await api.post("/v1/quotes", json=stay)).status_code == 200
    bureau.clock.now = entry + timedelta(hours=2)

    told = await change(api, who, retired=True)

    assert datetime.fromisoformat(told["retired_at"]) == bureau.clock.now
    for source in SOURCES:
        for path in (PATH, f"{PATH}/spaces"):
            gone = await api.get(path, params={"source": source})
            assert (gone.status_code, gone.json()["type"]) == (
                410,
                "urn:onelot:problem:lot-retired",
            )
        assert "garage" not in ids(await get(api, "/v1/lots", source=source), "items")
        assert (await get(api, "/v1/city", source=source))["lots"] == 2
    assert (await get(api, "/v1/places", q="garage"))["items"] == []
    assert (await get(api, f"{PATH}/occupancy"))["lot_id"] == "garage"
    gone = await api.get(PATH, headers={"accept-language": "zh"})
    assert gone.json()["detail"] == "该停车场已停用：仅保留其历史记录。"

    async def is_refused() -> bool:
        leaving = (bureau.clock.now + timedelta(hours=1)).isoformat()
        later = {"entry": bureau.clock.now.isoformat(), "exit": leaving}
        return (await api.post("/v1/quotes", json=stay | later)).status_code == 410

    await until(is_refused, "the refusal of a new stay")
    # Who came in before pays what it costs.
    assert (await api.post("/v1/quotes", json=stay)).status_code == 200

    again = await change(api, who, retired=True)
    assert again["retired_at"] == told["retired_at"]
    await change(api, who, retired=False)
    assert (await get(api, PATH))["lot_id"] == "garage"


async def test_who_may_change_a_lot(
    api: httpx.AsyncClient, database_url: str, people: People, garage: None
) -> None:
    del garage
    other = await keyed(database_url, "qian", "operator", operator_id="op-b")
    drafter = await keyed(database_url, "wang", "bureau_drafter")
    for who, status in (
        ({}, 401), (drafter, 403), (other, 403), (people.operator, 200), (people.operations, 200)
    ):  # fmt: skip
        await change(api, who, status, retired=True)
    answer = await api.patch("/v1/lots/nowhere", json={}, headers=people.operations)
    assert answer.status_code == 404


async def test_each_change_is_in_the_audit_once(
    api: httpx.AsyncClient, built: Builder, db: Db, people: People, garage: None
) -> None:
    del garage
    closing: dict[str, Any] = {
        "closed_from": at(built),
        "closed_reason": " 检修 ",
        "reason": "电梯",
    }
    before = await verify(db)
    first = await change(api, people.operator, **closing)
    again = await change(api, people.operator, **closing)
    looked = await change(api, people.operator)

    assert first == again == looked
    assert first["closed_reason"] == "检修"
    entries = await db.fetch(
        "SELECT * FROM audit_entry WHERE entry_id > $1 ORDER BY entry_id", before.entries
    )
    assert [
        (one["person_id"], one["action"], one["subject"], one["reason"]) for one in entries
    ] == [("zhao", "lot.change", "lot/garage", "电梯")]
    nothing = {"closed_from": None, "closed_until": None, "closed_reason": None, "retired_at": None}
    assert json.loads(entries[0]["before"]) == nothing
    kept = json.loads(entries[0]["after"])
    assert kept["closed_reason"] == "检修"
    assert datetime.fromisoformat(kept["closed_from"]) == built.now


@pytest.mark.parametrize(
    ("members", "parameter"),
    [
        ({"closed_until": "2026-12-01T00:00:00+08:00"}, "closed_from"),
        ({"closed_reason": "检修"}, "closed_from"),
        (
            {"closed_from": "2026-12-01T00:00:00Z", "closed_until": "2026-12-01T08:00:00+08:00"},
            "closed_until",
        ),
        ({"closed_from": None, "closed_reason": "检修"}, "closed_from"),
        ({"closed_from": "2026-12-01 00:00"}, "closed_from"),
        ({"closed_from": "2026-12-01T00:00:00"}, "closed_from"),
        ({"closed_from": 1764000000}, "closed_from"),
        ({"closed_reason": "x" * 201}, "closed_reason"),
        ({"closed_reason": "two\nlines"}, "closed_reason"),
        ({"retired": "yes"}, "retired"),
        ({"retired": None}, "retired"),
        ({"capacity": 3}, "capacity"),
    ],
)
async def test_what_cannot_be_is_named(
    api: httpx.AsyncClient, people: People, garage: None, members: Any, parameter: str
) -> None:
    del garage
    problem = await change(api, people.operator, 422, **members)

    assert [fault["parameter"] for fault in problem["errors"]] == [parameter]
    assert (await change(api, people.operator))["closed_from"] is None


async def test_only_members_that_are_given_change(
    api: httpx.AsyncClient, built: Builder, people: People, garage: None
) -> None:
    del garage
    who = people.operations
    await change(api, who, closed_from=at(built), closed_until=at(built, days=1), closed_reason="a")
    longer = await change(api, who, closed_until=at(built, days=3))
    endless = await change(api, who, closed_until=None)
    ended = await change(api, who, closed_from=None)

    assert (longer["closed_reason"], endless["closed_reason"]) == ("a", "a")
    assert endless["closed_until"] is None
    assert [ended[name] for name in ("closed_from", "closed_until", "closed_reason")] == [None] * 3


async def test_every_process_and_the_stream_know_of_it(
    database_url: str, built: Builder, people: People, garage: None
) -> None:
    del garage
    with processes(database_url, API_WORKERS="2") as api:
        async with (
            httpx.AsyncClient(base_url=api.url, timeout=30) as client,
            client.stream("GET", "/v1/stream", params=HERE) as stream,
        ):
            told: list[str] = []

            async def listen() -> None:
                async for line in stream.aiter_lines():
                    told.append(line)  # noqa: PERF401 - others look at it meanwhile

            listening = asyncio.create_task(listen())
            await until(lambda: any(line.startswith("data") for line in told), "the first event")

            async def all_say(status: int, word: str) -> bool:
                # A connection each: any process may answer.
                async with httpx.AsyncClient(base_url=api.url) as other:
                    answers = [
                        await other.get(PATH, headers={"connection": "close"}) for _ in "1234"
                    ]
                return {(one.status_code, word in one.text) for one in answers} == {(status, True)}

            await change(client, people.operator, closed_from=at(built), closed_reason="检修")
            await until(lambda: all_say(200, "检修"), "the closure", WITHIN_S)
            await until(lambda: "检修" in told[-2] + told[-1], "its event", WITHIN_S)
            await change(client, people.operator, closed_reason="换灯")
            await until(lambda: "换灯" in told[-2] + told[-1], "the other reason", WITHIN_S)
            await change(client, people.operator, retired=True)
            await until(lambda: all_say(410, "lot-retired"), "that it is retired", WITHIN_S)
            await until(lambda: "garage" not in told[-2] + told[-1], "lots anew", WITHIN_S)
            listening.cancel()


async def test_what_is_retired_is_known_while_the_database_is_away(
    database_url: str, built: Builder, garage: None, databases: Any
) -> None:
    del garage
    await built.connection.execute("UPDATE lot SET retired_at = now() WHERE lot_id = 'garage'")
    async with serving(database_url) as api:
        await built.connection.close()
        await databases.drop(database_url)

        async def is_degraded() -> bool:
            return bool((await get(api, "/v1/city"))["degraded"])

        await until(is_degraded)
        assert (await api.get(PATH)).status_code == 410
        assert (await api.get(f"{PATH}/spaces")).status_code == 410
        assert (await api.get("/v1/lots/street")).status_code == 200
