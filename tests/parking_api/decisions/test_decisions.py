"""What changes the cost of a stay takes two persons, whoever tries it alone, and however."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from parking_api.audit.service import verify
from sql.engine import Db
from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Bureau, document, fee, get, person, problem
from tests.parking_api.people.keys import key_id, keyed, shown

LATER = "2026-12-01T00:00:00+08:00"
WITHDRAW = ("POST", "/v1/tariffs/t-1/versions/1/withdraw", {"leaves_unpriced": True})
END_ZONE = ("POST", "/v1/zones/z-1/end", {"valid_to": LATER, "leaves_unpriced": True})
END_CONTROL = ("POST", "/v1/price-controls/c-1/end", {"valid_to": LATER})
YEAR = ("PUT", "/v1/calendar/2027", {"holidays": ["2027-01-01"], "makeup_workdays": []})
ACTS = [WITHDRAW, END_ZONE, END_CONTROL, YEAR]
STATE = """
SELECT (SELECT array_agg(effective::text ORDER BY effect_id) FROM tariff_effect)::text
    || (SELECT array_agg(valid_to ORDER BY zone_id) FROM zone)::text
    || (SELECT array_agg(valid_to ORDER BY price_control_id) FROM price_control)::text
    || (SELECT count(*) FROM city_calendar)::text
"""


@pytest.fixture
async def priced(bureau: Bureau) -> Bureau:
    """A bureau with a tariff in force, and a price control."""
    await bureau.published()
    control = {
        "price_control_id": "c-1",
        "legal_reference": {"zh": "文", "en": "order"},
        "lot_types": ["on_street"],
        "currency": "CNY",
        "base_minor": 600,
        "valid_from": "2026-11-22T09:30:00+08:00",
    }
    drafted = await bureau.post("/v1/price-controls", bureau.drafter, **control)
    assert drafted.status_code == 201, drafted.text
    await bureau.act("/v1/price-controls/c-1", "approve", bureau.approver)
    bureau.clock.now += timedelta(minutes=1)
    return bureau


async def ask(priced: Bureau, act: Any, who: dict[str, str]) -> httpx.Response:
    method, path, body = act
    return await priced.api.request(method, path, json={"reason": "测试", **body}, headers=who)


async def asked(priced: Bureau, act: Any, who: dict[str, str]) -> str:
    """Ask for an act; the decision's path."""
    answer = await ask(priced, act, who)
    assert answer.status_code == 202, answer.text
    return f"/v1/decisions/{answer.json()['decision_id']}"


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act[1])
async def test_nobody_moves_a_price_alone(
    priced: Bureau, db: Db, built: Builder, database_url: str, act: Any
) -> None:
    both = await person(database_url, "both", "bureau_drafter", "bureau_approver")
    before = await db.fetchval(STATE)
    path = await asked(priced, act, both)

    again = await asked(priced, act, both)
    for each in (path, again):
        problem(await priced.post(f"{each}/confirm", both), 403, "same-person")
    # The same person under another key, and by a token.
    key = await priced.api.post("/v1/people/both/keys", json={}, headers=both)
    token = await priced.api.post("/v1/tokens", headers=both)
    for other in (key.json()["key"], token.json()["token"]):
        problem(await priced.post(f"{path}/confirm", shown(other)), 403, "same-person")
    # A drafter confirms nothing.
    assert (await priced.post(f"{path}/confirm", priced.drafter)).status_code == 403

    assert await db.fetchval(STATE) == before
    # Nor past the API.
    with pytest.raises(asyncpg.CheckViolationError):
        await built.connection.execute(
            "UPDATE decision SET state = 'confirmed', settled_by = asked_by, settled_at = now()"
        )


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act[1])
async def test_two_persons_do(priced: Bureau, db: Db, act: Any) -> None:
    before = await db.fetchval(STATE)
    path = await asked(priced, act, priced.drafter)
    assert await db.fetchval(STATE) == before

    done = (await priced.post(f"{path}/confirm", priced.approver)).json()

    assert done["state"] == "confirmed"
    assert (done["asked_by"], done["settled_by"]) == ("wang", "li")
    assert await db.fetchval(STATE) != before
    told = await db.fetch("SELECT person_id, action FROM audit_entry ORDER BY entry_id")
    assert ("wang", "decision.ask") in [tuple(row) for row in told]
    assert tuple(told[-1]) == ("li", "decision.confirm")
    await verify(db)


async def test_a_price_moves_when_it_is_confirmed_and_not_before(
    priced: Bureau, database_url: str
) -> None:
    second = await priced.version("t-1", document=document(price=400))
    await priced.act(second, "schedule", priced.approver, effective_from=LATER)
    tomorrow = "2026-12-02T10:00:00+08:00"
    path = await asked(priced, ("POST", f"{second}/withdraw", {}), priced.approver)
    assert await fee(priced, entry=tomorrow) == 400
    third = await person(database_url, "han", "bureau_approver")

    assert (await priced.post(f"{path}/confirm", third)).status_code == 200

    assert await fee(priced, entry=tomorrow) == 300


async def test_of_two_who_confirm_at_once_one_wins(
    priced: Bureau, db: Db, database_url: str
) -> None:
    others = [await person(database_url, f"a-{n}", "bureau_approver") for n in range(4)]
    path = await asked(priced, WITHDRAW, priced.drafter)

    answers = await asyncio.gather(*(priced.post(f"{path}/confirm", who) for who in others))

    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409]
    done = "SELECT count(*) FROM audit_entry WHERE action = 'tariff.withdraw_published'"
    assert await db.fetchval(done) == 1


@pytest.mark.parametrize("gone", ["role", "keys"])
async def test_who_asked_and_is_no_more_in_office_counts_as_nobody(
    priced: Bureau, db: Db, database_url: str, gone: str
) -> None:
    operations = await keyed(database_url, "sun", "operations", at=priced.clock.now)
    path = await asked(priced, WITHDRAW, priced.drafter)
    before = await db.fetchval(STATE)
    if gone == "role":
        away = "/v1/people/wang/roles/bureau_drafter"
    else:
        away = f"/v1/people/wang/keys/{key_id(priced.drafter)}"
    assert (await priced.api.delete(away, headers=operations)).status_code == 200

    problem(await priced.post(f"{path}/confirm", priced.approver), 409, "not-standing")

    assert await db.fetchval(STATE) == before


async def test_a_draft_of_who_is_no_more_in_office_is_approved_by_nobody(
    bureau: Bureau, database_url: str
) -> None:
    operations = await keyed(database_url, "sun", "operations", at=bureau.clock.now)
    path = (await bureau.draft()).headers["location"]
    await bureau.act(path, "submit", bureau.drafter)
    away = "/v1/people/wang/roles/bureau_drafter"
    assert (await bureau.api.delete(away, headers=operations)).status_code == 200

    problem(await bureau.post(f"{path}/approve", bureau.approver), 409, "not-standing")


async def test_an_approver_without_the_role_confirms_nothing(
    priced: Bureau, database_url: str
) -> None:
    operations = await keyed(database_url, "sun", "operations", at=priced.clock.now)
    path = await asked(priced, WITHDRAW, priced.drafter)
    away = "/v1/people/li/roles/bureau_approver"
    assert (await priced.api.delete(away, headers=operations)).status_code == 200

    assert (await priced.post(f"{path}/confirm", priced.approver)).status_code == 403


async def test_a_decision_lapses_and_is_withdrawn(priced: Bureau, db: Db) -> None:
    before = await db.fetchval(STATE)
    old, other = [await asked(priced, WITHDRAW, priced.drafter) for _ in range(2)]
    await priced.act(other, "withdraw", priced.drafter)
    problem(await priced.post(f"{other}/confirm", priced.approver), 409, "decision-state")
    priced.clock.now += timedelta(days=7)

    problem(await priced.post(f"{old}/confirm", priced.approver), 409, "decision-state")

    assert await db.fetchval(STATE) == before
    assert (await get(priced, "/v1/decisions", **priced.drafter))["items"] == []
    listed = (await get(priced, "/v1/decisions?all=true", **priced.drafter))["items"]
    assert sorted(each["state"] for each in listed) == ["lapsed", "withdrawn"]


async def test_what_is_refused_is_refused_at_once_and_again_when_confirmed(priced: Bureau) -> None:
    path = "/v1/tariffs/t-1/versions/1/withdraw"
    problem(await priced.post(path, priced.drafter), 409, "leaves-unpriced")
    first, second = [await asked(priced, WITHDRAW, priced.drafter) for _ in range(2)]
    await priced.act(first, "confirm", priced.approver)

    # Things have changed meanwhile; it stays open.
    problem(await priced.post(f"{second}/confirm", priced.approver), 409, "version-state")


async def test_a_version_published_meanwhile_is_not_withdrawn_alone(bureau: Bureau, db: Db) -> None:
    """The one-person step of unpublished versions never reaches a published one."""
    path = await bureau.approved()
    answers = await asyncio.gather(
        bureau.post(f"{path}/publish", bureau.approver),
        *(bureau.post(f"{path}/withdraw", bureau.approver) for _ in range(3)),
    )

    state = await db.fetchval("SELECT state FROM tariff_version")
    if answers[0].status_code == 200:
        assert state == "published"
        assert all(each.status_code in {202, 409} for each in answers[1:])
    else:
        assert state == "withdrawn"


async def test_others_see_and_do_nothing(priced: Bureau, database_url: str) -> None:
    operations = await keyed(database_url, "sun", "operations", at=priced.clock.now)
    path = await asked(priced, WITHDRAW, priced.drafter)
    for who, status in (({}, 401), (operations, 403)):
        for answer in (
            await priced.api.get("/v1/decisions", headers=who),
            await priced.post(f"{path}/confirm", who),
            await priced.post(f"{path}/withdraw", who),
            await ask(priced, WITHDRAW, who),
            await ask(priced, END_ZONE, who),
            await ask(priced, END_CONTROL, who),
            await ask(priced, YEAR, who),
        ):
            assert answer.status_code == status
