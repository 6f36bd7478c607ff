"""How well the feeds are: by gateway, and lot by lot."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from parking_api.feeds.models import Feed, LotFeeds
from parking_api.models import Page
from tests.parking_api.builders import Builder
from tests.parking_api.feeding import People, pages, refuse
from tests.parking_api.people.keys import body, keyed
from tests.parking_api.serving import is_problem

OTHERS: dict[str, Any] = {"operator_id": "op-b", "gateway_id": "gw-s"}


@pytest.fixture
async def _feeding(built: Builder) -> None:
    """Lots of gateway gw-a: live, stale, silent for too long, never heard; one of gw-s."""
    await built.connection.execute("INSERT INTO gateway VALUES ('gw-a2', 'op-a', false, 'hash')")
    for lot_id, age_s in (("live", 60), ("stale", 901), ("silent", 3700)):
        await built.lot(lot_id)
        transport = "http" if lot_id == "stale" else "mqtt"
        await built.report(lot_id, 3, age_s=age_s, epoch=5, seq=9, transport=transport)
    await built.lot("unheard")
    await built.lot("others", **OTHERS)


async def gateways(api: httpx.AsyncClient, who: dict[str, str], **parameters: Any) -> list[str]:
    answer = await api.get("/v1/feeds", params=parameters, headers=who)
    return [feed.gateway_id for feed in Page[Feed].model_validate(body(answer)).items]


async def lots(api: httpx.AsyncClient, who: dict[str, str], **parameters: Any) -> list[str]:
    answer = await api.get("/v1/feeds/gw-a", params=parameters, headers=who)
    return [lot.lot_id for lot in LotFeeds.model_validate(body(answer)).items]


@pytest.mark.usefixtures("_feeding")
async def test_the_health_of_gateways(
    api: httpx.AsyncClient, built: Builder, people: People
) -> None:
    day = timedelta(hours=24)
    await refuse(built, "old", at=built.now - 2 * day)
    await refuse(built, "again and again", at=built.now - 2 * day)
    await refuse(built, "again and again")
    await refuse(built, "new")
    await refuse(built, gateway="gw-s")

    first, second, third = body(await api.get("/v1/feeds", headers=people.operations))["items"]

    assert datetime.fromisoformat(first.pop("received_at")) == built.now - timedelta(seconds=60)
    assert first == {
        "gateway_id": "gw-a",
        "operator_id": "op-a",
        "simulated": False,
        "lots": 4,
        "live": 1,
        "stale": 1,
        "estimated": 0,
        "unknown": 2,
        "hidden_spaces": 20,
        "lots_not_live": ["silent", "stale", "unheard"],
        "lots_by_mqtt": 2,
        "lots_by_http": 1,
        "dead_letters_24h": 2,
    }
    assert (second["gateway_id"], second["lots"], second["received_at"]) == ("gw-a2", 0, None)
    assert (third["gateway_id"], third["unknown"], third["simulated"]) == ("gw-s", 1, True)
    assert [feed["dead_letters_24h"] for feed in (second, third)] == [0, 1]


@pytest.mark.usefixtures("_feeding")
async def test_the_health_of_a_gateways_lots(
    api: httpx.AsyncClient, built: Builder, people: People
) -> None:
    told = body(await api.get("/v1/feeds/gw-a", headers=people.operations))
    live, silent, stale, unheard = LotFeeds.model_validate(told).items

    assert told["gateway"]["gateway_id"] == "gw-a"
    assert told["next"] is None
    assert (live.lot_id, live.data_state, live.epoch, live.seq) == ("live", "live", 5, 9)
    assert live.received_at == live.observed_at == built.now - timedelta(seconds=60)
    assert told["items"][0]["received_at"].endswith("+08:00")
    assert live.report_interval_s == 600
    assert [lot.data_state for lot in (stale, silent)] == ["stale", "unknown"]
    ages = [lot.silent_s for lot in (live, stale, silent) if lot.silent_s is not None]
    delays = [age - least for age, least in zip(ages, (60, 901, 3700), strict=True)]
    assert all(0 <= delay < 30 for delay in delays), delays
    assert [lot.transport for lot in (live, stale, unheard)] == ["mqtt", "http", None]
    assert unheard.data_state == "unknown"
    nothing = (unheard.epoch, unheard.seq, unheard.observed_at, unheard.received_at)
    assert (*nothing, unheard.silent_s, unheard.age_s) == (None,) * 6
    assert live.age_s is not None
    assert 60 <= live.age_s < 90


async def test_a_feed_with_a_slow_clock_is_told_by_its_age(
    api: httpx.AsyncClient, built: Builder, people: People
) -> None:
    """It is heard every minute, and what it says is an hour old."""
    await built.lot("slow")
    await built.report("slow", 3, observed_at=built.now - timedelta(hours=1))

    (slow,) = body(await api.get("/v1/feeds/gw-a", headers=people.operations))["items"]

    assert slow["data_state"] == "unknown"
    assert slow["silent_s"] < 120
    assert 3600 <= slow["age_s"] < 3700


@pytest.mark.usefixtures("_feeding")
async def test_filters(api: httpx.AsyncClient, people: People) -> None:
    who = people.operations
    assert await gateways(api, who) == ["gw-a", "gw-a2", "gw-s"]
    assert await gateways(api, who, operator="op-a") == ["gw-a", "gw-a2"]
    assert await gateways(api, who, operator="op-a", gateway="gw-s") == []
    assert await gateways(api, who, data_state="stale") == ["gw-a"]
    assert await gateways(api, who, data_state="unknown") == ["gw-a", "gw-s"]
    assert await gateways(api, who, data_state="estimated") == []
    assert await lots(api, who, data_state="unknown") == ["silent", "unheard"]


@pytest.mark.usefixtures("_feeding")
async def test_pages(api: httpx.AsyncClient, people: People) -> None:
    by_gateway = await pages(api, "/v1/feeds?limit=2&data_state=unknown", people.operations)
    one_by_one = await pages(api, "/v1/feeds?limit=1", people.operations)
    by_lot = await pages(api, "/v1/feeds/gw-a?limit=3", people.operations)

    assert [[feed["gateway_id"] for feed in page] for page in by_gateway] == [["gw-a", "gw-s"]]
    assert [page[0]["gateway_id"] for page in one_by_one] == ["gw-a", "gw-a2", "gw-s"]
    assert [[lot["lot_id"] for lot in page] for page in by_lot] == [
        ["live", "silent", "stale"],
        ["unheard"],
    ]


@pytest.mark.usefixtures("_feeding")
async def test_an_operator_sees_its_own_alone(api: httpx.AsyncClient, people: People) -> None:
    who = people.operator
    assert await gateways(api, who) == ["gw-a", "gw-a2"]
    assert await gateways(api, who, operator="op-a") == ["gw-a", "gw-a2"]
    assert await gateways(api, who, gateway="gw-s") == []
    assert await lots(api, who) == ["live", "silent", "stale", "unheard"]
    for other in ("op-b", "never-heard-of"):
        answer = await api.get("/v1/feeds", params={"operator": other}, headers=who)
        assert is_problem(answer, 403)
    hidden, missing = [
        await api.get(f"/v1/feeds/{gateway}", headers=who) for gateway in ("gw-s", "none")
    ]
    assert is_problem(hidden, 404)
    assert hidden.json() == missing.json()


async def test_nobody_else_sees_any(api: httpx.AsyncClient, database_url: str) -> None:
    bureau = await keyed(database_url, "wang", "bureau_drafter", "bureau_approver")
    for path in ("/v1/feeds", "/v1/feeds/gw-a"):
        assert is_problem(await api.get(path), 401)
        assert is_problem(await api.get(path, headers=bureau), 403)


# What is asked, and the parameter that is wrong with it.
WRONG = [
    ("?limit=0", "limit"),
    ("?limit=1001", "limit"),
    ("?cursor=a%00b", "cursor"),
    ("?operator=A", "operator"),
    ("?gateway=%FF", "gateway"),
    ("?data_state=alive", "data_state"),
    ("?lot=a", "lot"),
    ("/a%00b", "gateway_id"),
    (f"/{'x' * 65}", "gateway_id"),
    ("/gw-a?operator=op-a", "operator"),
    ("/gw-a?data_state=", "data_state"),
    ("/gw-a?limit=many", "limit"),
]


async def test_what_is_no_question(api: httpx.AsyncClient, people: People) -> None:
    for path, parameter in WRONG:
        answer = await api.get(f"/v1/feeds{path}", headers=people.operations)
        assert is_problem(answer, 422), path
        assert [fault["parameter"] for fault in answer.json()["errors"]] == [parameter], path
