"""Suspending a tariff version: one person stops it, two keep it stopped; no other price comes."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from sql.engine import Db
from tests.parking_api.bureau import Bureau, document, fee, get, person, problem
from tests.parking_api.people.keys import keyed
from tests.parking_api.serving import serving

FIRST = "/v1/tariffs/t-1/versions/1"
SUSPENDED = "urn:onelot:problem:tariff-suspended"
NONE = "urn:onelot:problem:lot-without-tariff"
WHY = "价格有误"


def after(bureau: Bureau, hours: float) -> str:
    """An instant so many hours from the bureau's now."""
    return (bureau.clock.now + timedelta(hours=hours)).isoformat()


async def suspend(bureau: Bureau, path: str, who: dict[str, str] | None = None) -> httpx.Response:
    return await bureau.api.post(
        f"{path}/suspend", json={"reason": WHY}, headers=who or bureau.drafter
    )


async def confirm(bureau: Bureau, path: str, who: dict[str, str] | None = None) -> httpx.Response:
    return await bureau.post(f"{path}/suspend/confirm", who or bureau.approver)


async def quotes(bureau: Bureau) -> list[Any]:
    """What a lot's answers say of the price, by each way to ask: all must be alike."""
    found = []
    at = bureau.clock.now.isoformat().replace("+", "%2B")
    near = "/v1/nearest?lon=120.4&lat=36.05&radius_m=20000&min_free=0&limit=100"
    for path in ("/v1/lots/street?", "/v1/lots?", f"{near}&"):
        for source in ("memory", "database"):
            answer = await get(bureau, f"{path}source={source}&at={at}")
            lots = answer.get("items") or answer.get("lots") or [answer]
            (lot,) = [each for each in lots if each["lot_id"] == "street"]
            quote = lot["quote"] and lot["quote"]["total_minor"]
            found.append((quote, lot.get("quote_reason")))
    return found


async def test_of_one_in_force_new_quotes_are_null_with_the_reason(bureau: Bureau) -> None:
    await bureau.published()
    before = await quotes(bureau)
    assert set(before) == {(600, None)}
    bureau.clock.now += timedelta(hours=1)

    told = (await suspend(bureau, FIRST)).json()

    assert told["state"] == "unconfirmed"
    assert datetime.fromisoformat(told["suspended_to"]) == bureau.clock.now + timedelta(hours=24)
    assert set(await quotes(bureau)) == {(None, "suspended")}
    stay = {"lot_id": "street", "entry": after(bureau, 1), "exit": after(bureau, 2)}
    refused = await bureau.api.post("/v1/quotes", json=stay)
    assert WHY in problem(refused, 409, "tariff-suspended")["detail"]
    # Whoever had come in before pays what they were told.
    assert await fee(bureau, entry=after(bureau, -0.5)) == 300


async def test_one_that_was_the_only_one_has_no_other_price(bureau: Bureau) -> None:
    """The version before, and a zone's tariff behind a lot's own, come back for nobody."""
    await bureau.published()
    bureau.clock.now += timedelta(minutes=1)
    second = await bureau.version("t-1", document=document(price=400))
    await bureau.act(second, "publish", bureau.approver)
    bureau.clock.now += timedelta(minutes=1)
    await suspend(bureau, second)
    assert await fee(bureau, entry=after(bureau, 0)) == SUSPENDED
    own = {"lots": ["street"]}
    single = await bureau.approved(document=document("own", 500), applies_to=own)
    await bureau.act(single, "publish", bureau.approver)
    bureau.clock.now += timedelta(minutes=1)
    assert await fee(bureau, entry=after(bureau, 0)) == 500

    await suspend(bureau, single)

    assert await fee(bureau, entry=after(bureau, 0)) == SUSPENDED


async def test_unconfirmed_it_lapses_and_its_window_is_kept(
    bureau: Bureau, database_url: str
) -> None:
    await bureau.published()
    bureau.clock.now += timedelta(hours=1)
    began = bureau.clock.now
    await suspend(bureau, FIRST)
    bureau.clock.now = began + timedelta(hours=24)

    within = (began + timedelta(hours=3)).isoformat()
    for entry, costs in ((after(bureau, 0), 300), (within, SUSPENDED), (after(bureau, -25), 300)):
        assert await fee(bureau, entry=entry) == costs
    problem(await confirm(bureau, FIRST), 409, "suspension-state")
    listed = (await get(bureau, "/v1/suspensions"))["items"]
    assert [(each["state"], each["reason"]) for each in listed] == [("lapsed", WHY)]
    # The same after a new start of the process.
    async with serving(database_url, bureau.clock) as again:
        assert await fee(Bureau(again, bureau.clock, {}, {}), entry=within) == SUSPENDED


async def test_confirmed_it_lasts_and_two_lift_it(bureau: Bureau) -> None:
    await bureau.published()
    bureau.clock.now += timedelta(hours=1)
    began = bureau.clock.now
    await suspend(bureau, FIRST)
    confirmed = (await confirm(bureau, FIRST)).json()
    assert (confirmed["suspended_to"], confirmed["confirmed_by"]) == (None, "li")
    bureau.clock.now += timedelta(days=30)
    assert await fee(bureau, entry=after(bureau, 0)) == SUSPENDED

    asked = await bureau.post(f"{FIRST}/resume", bureau.approver)
    assert asked.status_code == 202
    own = f"/v1/decisions/{asked.json()['decision_id']}/confirm"
    problem(await bureau.post(own, bureau.approver), 403, "same-person")
    assert await fee(bureau, entry=after(bureau, 0)) == SUSPENDED
    await bureau.decided(f"{FIRST}/resume")

    assert await fee(bureau, entry=after(bureau, 0)) == 300
    assert await fee(bureau, entry=(began + timedelta(days=3)).isoformat()) == SUSPENDED
    assert await fee(bureau, entry=(began - timedelta(minutes=1)).isoformat()) == 300


async def test_of_one_not_in_force_the_start_is_held_back(bureau: Bureau) -> None:
    await bureau.published()
    second = await bureau.version("t-1", document=document(price=400))
    start = bureau.clock.now + timedelta(hours=2)
    await bureau.act(second, "schedule", bureau.approver, effective_from=start.isoformat())
    await suspend(bureau, second)
    lapse = bureau.clock.now + timedelta(hours=24)

    def at(instant: datetime, minutes: int) -> str:
        return (instant + timedelta(minutes=minutes)).isoformat()

    # What was before goes on, until the suspension ends; the same, whenever it is asked for.
    wanted = [(at(start, -1), 300), (at(start, 1), 300), (at(lapse, -1), 300), (at(lapse, 1), 400)]
    for now in (bureau.clock.now, start + timedelta(hours=1), lapse + timedelta(hours=1)):
        bureau.clock.now = now
        assert [await fee(bureau, entry=entry) for entry, _ in wanted] == [
            costs for _, costs in wanted
        ]


async def test_one_held_back_by_two_never_starts_until_it_is_lifted(bureau: Bureau) -> None:
    await bureau.published()
    second = await bureau.version("t-1", document=document(price=400))
    await bureau.act(second, "schedule", bureau.approver, effective_from=after(bureau, 2))
    await suspend(bureau, second)
    await confirm(bureau, second)
    bureau.clock.now += timedelta(days=40)
    assert await fee(bureau, entry=after(bureau, 0)) == 300
    assert {quote for quote, _ in await quotes(bureau)} == {600}
    await bureau.decided(f"{second}/resume")
    assert await fee(bureau, entry=after(bureau, 0)) == 400
    assert await fee(bureau, entry=after(bureau, -1)) == 300


async def test_one_held_back_can_be_withdrawn_after_it_was_to_start(bureau: Bureau) -> None:
    await bureau.published()
    second = await bureau.version("t-1", document=document(price=400))
    await bureau.act(second, "schedule", bureau.approver, effective_from=after(bureau, 2))
    await suspend(bureau, second)
    bureau.clock.now += timedelta(hours=5)

    told = await bureau.decided(f"{second}/withdraw")

    assert (told["state"], told["unpriced"]["lots"]) == ("withdrawn", 0)
    assert [await fee(bureau, entry=after(bureau, hours)) for hours in (-1, 0, 100)] == [300] * 3


async def test_the_first_version_held_back_leaves_no_price(bureau: Bureau) -> None:
    path = await bureau.approved()
    await bureau.act(path, "schedule", bureau.approver, effective_from=after(bureau, 2))
    await suspend(bureau, path)

    assert await fee(bureau, entry=after(bureau, 3)) == NONE
    assert await fee(bureau, entry=after(bureau, 30)) == 300


async def test_a_stay_by_units_starts_the_new_version_where_the_suspension_ends(
    bureau: Bureau,
) -> None:
    by_unit: dict[str, Any] = {"version_policy": "at_unit_start"}
    await bureau.published(document=document(**by_unit))
    second = await bureau.version("t-1", document=document(price=400, **by_unit))
    await bureau.act(second, "schedule", bureau.approver, effective_from=after(bureau, 2))
    await suspend(bureau, second)
    stay = {"lot_id": "street", "entry": after(bureau, 23), "exit": after(bureau, 25)}

    told = (await bureau.api.post("/v1/quotes", json=stay)).json()

    assert told["total_minor"] == 2 * 300 + 2 * 400


async def test_nobody_confirms_their_own(bureau: Bureau, db: Db, database_url: str) -> None:
    await bureau.published()
    both = await person(database_url, "both", "bureau_drafter", "bureau_approver")
    await suspend(bureau, FIRST, both)
    problem(await confirm(bureau, FIRST, both), 403, "same-person")
    assert (await confirm(bureau, FIRST, bureau.drafter)).status_code == 403
    for statement in (
        "UPDATE tariff_suspension SET confirmed_by = suspended_by",
        "UPDATE tariff_suspension SET during = tstzrange(lower(during), null)",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await db.execute(statement)


async def test_nobody_suspends_one_for_ever_alone(bureau: Bureau) -> None:
    await bureau.published()
    await suspend(bureau, FIRST)
    problem(await suspend(bureau, FIRST, bureau.approver), 409, "suspension-state")
    bureau.clock.now += timedelta(hours=24)

    problem(await suspend(bureau, FIRST), 409, "suspended-before")

    assert (await suspend(bureau, FIRST, bureau.approver)).status_code == 200


async def test_of_two_who_suspend_or_confirm_at_once_one_wins(
    bureau: Bureau, database_url: str, db: Db
) -> None:
    await bureau.published()
    others = [await person(database_url, f"a-{n}", "bureau_approver") for n in range(3)]
    suspended = await asyncio.gather(*(suspend(bureau, FIRST, who) for who in others))
    assert sorted(each.status_code for each in suspended) == [200, 409, 409]
    told = await asyncio.gather(*(confirm(bureau, FIRST, who) for who in others))
    assert sorted(each.status_code for each in told) in ([200, 403, 409], [200, 409, 409])
    assert await db.fetchval("SELECT count(*) FROM tariff_suspension") == 1


async def test_who_suspended_and_is_no_more_in_office_counts_as_nobody(
    bureau: Bureau, database_url: str
) -> None:
    operations = await keyed(database_url, "sun", "operations", at=bureau.clock.now)
    await bureau.published()
    await suspend(bureau, FIRST)
    away = await bureau.api.delete("/v1/people/wang/roles/bureau_drafter", headers=operations)
    assert away.status_code == 200

    problem(await confirm(bureau, FIRST), 409, "not-standing")


async def test_what_can_be_suspended_and_by_whom(bureau: Bureau, database_url: str) -> None:
    operations = await keyed(database_url, "sun", "operations", at=bureau.clock.now)
    path = await bureau.approved()
    problem(await suspend(bureau, path), 409, "version-state")
    problem(await suspend(bureau, "/v1/tariffs/none/versions/1"), 404, "tariff-unknown")
    problem(await confirm(bureau, path), 409, "suspension-state")
    problem(await bureau.post(f"{path}/resume", bureau.drafter), 409, "suspension-state")
    await bureau.act(path, "publish", bureau.approver)
    assert (await suspend(bureau, path, operations)).status_code == 403
    assert (await suspend(bureau, path, {"X": "y"})).status_code == 401
    await suspend(bureau, path)
    public = (await get(bureau, "/v1/suspensions"))["items"][0]
    assert "wang" not in str(public)
    mine = (await get(bureau, "/v1/suspensions", **bureau.drafter))["items"][0]
    assert mine["suspended_by"] == "wang"
