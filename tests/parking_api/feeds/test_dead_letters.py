"""Refused messages: found, paged, shown to those whom they concern."""

from datetime import timedelta
from typing import Any

import httpx

from parking_api.feeds.models import SHOWN, DeadLetter
from parking_api.models import Page
from tests.parking_api.builders import Builder
from tests.parking_api.feeding import People, pages, refuse
from tests.parking_api.people.keys import body, keyed
from tests.parking_api.serving import is_problem

PATH = "/v1/dead-letters"


async def listed(api: httpx.AsyncClient, who: dict[str, str], **parameters: Any) -> list[Any]:
    answer = await api.get(PATH, params=parameters, headers=who)
    assert answer.status_code == 200, answer.text
    return [letter.model_dump() for letter in Page[DeadLetter].model_validate(answer.json()).items]


async def lots(api: httpx.AsyncClient, who: dict[str, str], **parameters: Any) -> list[str]:
    return [letter["lot_id"] for letter in await listed(api, who, **parameters)]


async def test_a_message_is_told_whole_and_once(
    api: httpx.AsyncClient, built: Builder, people: People
) -> None:
    await refuse(built, '{"free": -1}')
    later = built.now + timedelta(hours=1)
    await refuse(built, '{"free": -1}', at=later)

    (told,) = await listed(api, people.operations)

    assert told | {"dead_letter_id": 0} == {
        "dead_letter_id": 0,
        "topic": "onelot/v1/feeds/gw-a/a/count",
        "gateway_id": "gw-a",
        "operator_id": "op-a",
        "lot_id": "a",
        "epoch": 7,
        "seq": None,
        "reason": "invalid",
        "detail": "it is wrong",
        "times": 2,
        "received_at": built.now,
        "last_received_at": later,
        "payload": '{"free": -1}',
        "payload_bytes": 12,
        "fault_at": None,
        "truncated": False,
        "replayable": False,
        "replayed_at": None,
        "replay_result": None,
    }
    one = await api.get(f"{PATH}/{told['dead_letter_id']}", headers=people.operations)
    assert DeadLetter.model_validate(body(one)).model_dump() == told


async def test_pages_lose_nothing_where_times_are_the_same(
    api: httpx.AsyncClient, built: Builder, people: People
) -> None:
    for number in range(7):
        await refuse(built, str(number))
    await refuse(built, lot="other")
    since = (built.now - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S+00:00").replace("+", "%2B")

    first = await pages(api, f"{PATH}?limit=3&lot=a&from={since}", people.operations)

    assert [len(page) for page in first] == [3, 3, 1]
    assert [letter["payload"] for page in first for letter in page] == list("6543210")


async def test_what_comes_between_two_pages_moves_none(
    api: httpx.AsyncClient, built: Builder, people: People
) -> None:
    for number in range(4):
        await refuse(built, str(number))
    first = body(await api.get(f"{PATH}?limit=2", headers=people.operations))
    later = built.now + timedelta(hours=1)
    await refuse(built, "new", at=later)
    await refuse(built, "0", at=later)

    rest = await pages(api, first["next"], people.operations)

    shown = [*first["items"], *(letter for page in rest for letter in page)]
    assert [letter["payload"] for letter in shown] == list("3210")
    assert [letter["times"] for letter in shown] == [1, 1, 1, 2]


async def test_filters_add_up(api: httpx.AsyncClient, built: Builder, people: People) -> None:
    hour = timedelta(hours=1)
    await refuse(built, lot="early", at=built.now - 2 * hour)
    await refuse(built, lot="again", at=built.now - 2 * hour)
    await refuse(built, lot="again", at=built.now)
    await refuse(built, lot="late", at=built.now, reason="foreign_lot")
    await refuse(built, lot="late", at=built.now, gateway="gw-s")
    who = people.operations
    since = built.now.isoformat()

    assert await lots(api, who) == ["late", "late", "again", "early"]
    assert await lots(api, who, lot="late", gateway="gw-a") == ["late"]
    assert await lots(api, who, reason="foreign_lot") == ["late"]
    assert await lots(api, who, reason="invalid", gateway="gw-a") == ["again", "early"]
    # To what `from` and `to` say: received then or later for the last time, before for the first.
    assert await lots(api, who, **{"from": since}) == ["late", "late", "again"]
    assert await lots(api, who, to=since) == ["again", "early"]
    both = {"from": (built.now - hour).isoformat(), "to": since}
    assert await lots(api, who, **both) == ["again"]


async def test_lists_cut_what_is_long(
    api: httpx.AsyncClient, built: Builder, people: People
) -> None:
    text = "x" * (SHOWN - 1) + "泊位"
    await refuse(built, text, fault_at=17)
    await refuse(built, "short", detail="d" * 2000, kind="k" * 2000)

    short, long = await listed(api, people.operations)

    assert (long["payload"], long["fault_at"], long["truncated"]) == (text[:-1], 17, True)
    assert long["payload_bytes"] == SHOWN + 5
    assert (short["payload"], short["truncated"]) == ("short", True)
    assert (len(short["topic"]), len(short["detail"])) == (SHOWN, SHOWN)
    whole = [
        body(await api.get(f"{PATH}/{letter['dead_letter_id']}", headers=people.operations))
        for letter in (long, short)
    ]
    assert whole[0]["payload"] == text
    assert (whole[1]["detail"], whole[1]["topic"][-2000:]) == ("d" * 2000, "k" * 2000)
    assert [letter["truncated"] for letter in whole] == [False, False]


async def test_what_can_be_replayed_and_what_came_of_it_is_told(
    api: httpx.AsyncClient, built: Builder, people: People
) -> None:
    await refuse(built, "0", reason="internal", lot="whole")
    await refuse(built, "1", reason="internal", lot="masked", whole=False)
    await refuse(built, "2", reason="internal", lot="applied")
    await refuse(built, "3", reason="internal", lot="again")
    await refuse(built, "4", lot="wrong")
    results = ("applied", "applied"), ("again", "rejected: internal")
    for lot, result in results:
        await built.connection.execute(
            "UPDATE dead_letter SET replayed_at = $3, replay_result = $2 WHERE lot_id = $1",
            *(lot, result, built.now),
        )

    told = await listed(api, people.operations)

    facts = ("lot_id", "replayable", "replayed_at", "replay_result")
    assert [tuple(letter[name] for name in facts) for letter in told] == [
        ("wrong", False, None, None),
        ("again", True, built.now, "rejected: internal"),
        ("applied", False, built.now, "applied"),
        ("masked", False, None, None),
        ("whole", True, None, None),
    ]


async def test_an_operator_sees_its_own_gateways_alone(
    api: httpx.AsyncClient, built: Builder, people: People
) -> None:
    await refuse(built, lot="own")
    await refuse(built, lot="foreign-lot", reason="foreign_lot")
    await refuse(built, lot="own", gateway="gw-s")
    await refuse(built, lot="own", gateway="nobodys", reason="unknown_gateway")
    everything = await listed(api, people.operations)

    assert [letter["operator_id"] for letter in everything] == [None, "op-b", "op-a", "op-a"]
    assert await lots(api, people.operator) == ["foreign-lot", "own"]
    for hidden in ("gw-s", "nobodys", "never-heard-of"):
        assert await lots(api, people.operator, gateway=hidden) == []
    statuses = {
        letter["gateway_id"]: (
            await api.get(f"{PATH}/{letter['dead_letter_id']}", headers=people.operator)
        ).status_code
        for letter in everything
    }
    assert statuses == {"gw-a": 200, "gw-s": 404, "nobodys": 404}


async def test_an_operator_of_operations_too_sees_all(
    api: httpx.AsyncClient, built: Builder, database_url: str
) -> None:
    both = await keyed(database_url, "sun", "operator", "operations", operator_id="op-a")
    await refuse(built, gateway="gw-s")
    assert len(await listed(api, both)) == 1


async def test_nobody_else_sees_any(
    api: httpx.AsyncClient, built: Builder, database_url: str
) -> None:
    await refuse(built)
    bureau = await keyed(database_url, "wang", "bureau_drafter", "bureau_approver")
    for path in (PATH, f"{PATH}/1"):
        assert is_problem(await api.get(path), 401)
        assert is_problem(await api.get(path, headers=bureau), 403)


# What is asked, and the parameter that is wrong with it.
WRONG = [
    ("limit=0", "limit"),
    ("limit=1001", "limit"),
    ("cursor=0", "cursor"),
    ("cursor=9223372036854775808", "cursor"),
    ("cursor=%27", "cursor"),
    ("lot=a%00b", "lot"),
    ("gateway=A", "gateway"),
    ("reason=a%00b", "reason"),
    ("reason=Any%20one", "reason"),
    ("from=2026-11-22", "from"),
    ("to=never", "to"),
    ("from=2026-11-22T00:00:00Z&to=2026-11-22T00:00:00Z", ""),
    ("operator=op-a", "operator"),
    ("limit=1&limit=2", "limit"),
]


async def test_what_is_no_question(api: httpx.AsyncClient, people: People) -> None:
    for query, parameter in WRONG:
        answer = await api.get(f"{PATH}?{query}", headers=people.operations)
        assert is_problem(answer, 422), query
        assert [fault["parameter"] for fault in answer.json()["errors"]] == [parameter], query


async def test_what_is_no_message(api: httpx.AsyncClient, people: People) -> None:
    assert is_problem(await api.get(f"{PATH}/1", headers=people.operations), 404)
    for path in ("0", "-1", "x", "9223372036854775808", "1?a=1"):
        assert is_problem(await api.get(f"{PATH}/{path}", headers=people.operations), 422), path
