"""Price control: what the law lets a tariff charge, and a publication beyond it."""

from datetime import date, timedelta
from typing import Any

import pytest

from parking_api.price_controls.models import PriceControl
from tests.parking_api.bureau import Bureau, document, problem
from tests.parking_api.people.keys import keyed

SINCE = "2025-01-01T00:00:00+08:00"
REFERENCE = {"zh": "机动车停放服务收费政府指导价", "en": "Government-guided parking prices"}


async def drawn(bureau: Bureau, control_id: str = "c-1", **body: Any) -> None:
    """Draft a price control."""
    given = {
        "price_control_id": control_id,
        "legal_reference": REFERENCE,
        "zone_class": 1,
        "lot_types": ["on_street"],
        "base_minor": 600,
        "float_up_percent": 20,
        "valid_from": SINCE,
    } | body
    drafted = await bureau.post("/v1/price-controls", bureau.drafter, **given)
    assert drafted.status_code == 201, drafted.text


async def control(bureau: Bureau, control_id: str = "c-1", **body: Any) -> None:
    """Draft a price control, and put it in force."""
    await drawn(bureau, control_id, **body)
    approved = await bureau.post(f"/v1/price-controls/{control_id}/approve", bureau.approver)
    assert approved.status_code == 200, approved.text


async def drafted(bureau: Bureau, **body: Any) -> str:
    return str((await bureau.draft(**body)).headers["location"])


async def test_a_drafter_who_is_no_more_in_office_counts_as_nobody(
    bureau: Bureau, database_url: str
) -> None:
    operations = await keyed(database_url, "sun", "operations", at=bureau.clock.now)
    await drawn(bureau)
    away = await bureau.api.delete("/v1/people/wang/roles/bureau_drafter", headers=operations)
    assert away.status_code == 200
    told = await bureau.post("/v1/price-controls/c-1/approve", bureau.approver)
    problem(told, 409, "not-standing")


async def test_submission_beyond_it_is_refused_with_the_clause(bureau: Bureau) -> None:
    await control(bureau)
    path = await drafted(bureau, document=document(price=361))

    told = problem(await bureau.post(f"{path}/submit", bureau.drafter), 409, "price-control")

    assert (await bureau.api.get(path, headers=bureau.drafter)).json()["state"] == "draft"
    assert told["errors"][0]["parameter"] == "document.periods[0].tiers[0].price_minor"
    assert REFERENCE["zh"] in told["errors"][0]["message"]
    assert "7.20元" in told["errors"][0]["message"]
    looked = await bureau.api.get(f"{path}/lint", headers=bureau.drafter)
    assert looked.json()["findings"][0]["code"] == "ceiling_exceeded"
    assert looked.json()["findings"][0]["clause"] == REFERENCE["zh"]
    at_the_ceiling = await bureau.approved(document=document("t-2", 360))
    await bureau.act(at_the_ceiling, "publish", bureau.approver)


async def test_every_finding_is_named_of_controls_to_come_too(bureau: Bureau) -> None:
    later = {"valid_from": "2027-01-01T00:00:00+08:00", "base_minor": 500}
    await control(bureau, day_ceiling_minor=6000)
    await control(bureau, "c-2", **later)
    path = await drafted(bureau, document=document(price=310))

    told = problem(await bureau.post(f"{path}/submit", bureau.drafter), 409, "price-control")

    found = [(fault["parameter"], fault["message"]) for fault in told["errors"]]
    assert [where for where, _ in found] == [
        "document.caps",
        "document.periods[0].tiers[0].price_minor",
    ]
    assert "60.00元" in found[0][1]
    assert "Price control c-1, from 2024-12-31T16:00:00+00:00" in found[0][1]
    assert "6.00元" in found[1][1]
    assert "Price control c-2, from 2026-12-31T16:00:00+00:00" in found[1][1]


async def test_it_is_held_against_the_time_that_it_is_meant_for(bureau: Bureau) -> None:
    """8.00 an hour is too dear until the new year, and too dear again from February on."""
    new_year, february = "2027-01-01T00:00:00+08:00", "2027-02-01T00:00:00+08:00"
    await control(bureau, valid_to=new_year)
    await control(bureau, "c-2", valid_from=february)
    path = await drafted(bureau, document=document(price=400))

    async def submitted(**times: str) -> Any:
        return await bureau.post(f"{path}/submit", bureau.drafter, **times)

    for times in ({}, {"effective_from": new_year}, {"effective_to": february}):
        problem(await submitted(**times), 409, "price-control")
    backwards = await submitted(effective_from=february, effective_to=new_year)
    problem(backwards, 422, "effective-times")
    done = await submitted(effective_from=new_year, effective_to=february)
    assert (done.status_code, done.json()["state"]) == (200, "in_review")
    await bureau.act(path, "approve", bureau.approver)
    # What was said at submission binds nobody: publishing looks at the time that it is really for.
    problem(await bureau.post(f"{path}/publish", bureau.approver), 409, "price-control")
    times = {"effective_from": new_year, "effective_to": february}
    await bureau.act(path, "schedule", bureau.approver, **times)


async def test_a_control_that_came_meanwhile_holds_at_publication(bureau: Bureau) -> None:
    path = await bureau.approved(document=document(price=361))
    await control(bureau)
    problem(await bureau.post(f"{path}/publish", bureau.approver), 409, "price-control")


async def test_an_approval_names_what_is_published_beyond_it(bureau: Bureau) -> None:
    """In force and scheduled; what is for other lot types, or has ended, is not among them."""
    await bureau.published(document=document(price=361))
    garage = {"zones": ["z-1"], "lot_types": ["underground"]}
    await bureau.published(document=document("t-2", 900), applies_to=garage)
    second = await bureau.version("t-1", document=document(price=370))
    later = "2027-01-01T00:00:00+08:00"
    await bureau.act(second, "schedule", bureau.approver, effective_from=later)
    body = {
        "price_control_id": "c-1",
        "legal_reference": REFERENCE,
        "zone_class": 1,
        "lot_types": ["on_street"],
        "base_minor": 600,
        "float_up_percent": 20,
        "valid_from": SINCE,
    }
    assert (await bureau.post("/v1/price-controls", bureau.drafter, **body)).status_code == 201

    told = await bureau.act("/v1/price-controls/c-1", "approve", bureau.approver)

    assert [(each["tariff_id"], each["version"], each["from"]) for each in told["beyond"]] == [
        ("t-1", 1, "2026-11-22T01:30:00+00:00"),
        ("t-1", 2, "2026-12-31T16:00:00+00:00"),
    ]
    assert "7.20元" in told["beyond"][0]["errors"][0]["message"]


async def test_a_holiday_of_the_citys_calendar_is_looked_at(bureau: Bureau) -> None:
    await control(bureau, float_up_percent=None, day_ceiling_minor=6000)
    await bureau.publish_year(2026, holidays=["2026-10-01"])
    every = document()["periods"][0]
    dear = every | {"id": "holiday", "days": ["holiday"]}
    cheap = every | {"id": "rest", "tiers": [{"from_s": 0, "price_minor": 100}]}
    path = await drafted(bureau, document=document(periods=[dear, cheap]))

    told = problem(await bureau.post(f"{path}/submit", bureau.drafter), 409, "price-control")

    assert [fault["parameter"] for fault in told["errors"]] == ["document.caps"]


async def test_what_is_in_the_way_is_told_at_submission(bureau: Bureau) -> None:
    await bureau.published()
    other = await drafted(bureau, document=document("t-2"))
    own = await bureau.post(
        "/v1/tariffs/t-1/versions", bureau.drafter, document=document(price=400)
    )

    told = await bureau.act(other, "submit", bureau.drafter)
    bureau.clock.now += timedelta(minutes=1)
    alone = await bureau.act(own.headers["location"], "submit", bureau.drafter)
    target = {"zones": ["z-1"], "lot_types": ["surface"]}
    less = await bureau.post(
        "/v1/tariffs/t-1/versions", bureau.drafter, document=document(), applies_to=target
    )
    smaller = await bureau.act(less.headers["location"], "submit", bureau.drafter)

    assert told["state"] == "in_review"
    assert [each.partition(" from ")[0] for each in told["conflicts"]] == [
        "version 1 of t-1 prices z-1 x on_street"
    ]
    assert (alone["conflicts"], alone["unpriced"]["lots"]) == ([], 0)
    # It leaves out the street, which the version before prices.
    assert smaller["conflicts"] == []
    assert [lot["lot_id"] for lot in smaller["unpriced"]["items"]] == ["street"]
    # Nothing of it has been done.
    row = (await bureau.api.get("/v1/tariffs/t-1/versions/1")).json()
    assert (row["state"], row["effective_to"]) == ("in_force", None)


async def test_a_later_version_of_its_own_is_told_at_submission(bureau: Bureau) -> None:
    await bureau.published()
    second = await bureau.version("t-1", document=document(price=400))
    later = "2027-01-01T00:00:00+08:00"
    await bureau.act(second, "schedule", bureau.approver, effective_from=later)
    third = await bureau.post("/v1/tariffs/t-1/versions", bureau.drafter, document=document())

    told = await bureau.act(third.headers["location"], "submit", bureau.drafter)

    assert told["state"] == "in_review"
    assert "Version 1, 2 of t-1 comes into force then or later" in told["conflicts"][0]


@pytest.mark.parametrize(
    ("rule", "price", "ok"),
    [
        ({"zone_class": 2}, 900, True),
        ({"lot_types": ["surface"]}, 900, True),
        ({"lot_types": [], "zone_class": None}, 900, False),
        ({"valid_from": "2024-01-01T00:00:00Z", "valid_to": "2025-01-01T00:00:00Z"}, 900, True),
        ({"float_up_percent": None, "ceiling_minor": 700}, 350, True),
        ({"float_up_percent": None, "ceiling_minor": 700}, 351, False),
        ({"float_up_percent": None, "floor_minor": 500}, 249, False),
        ({"float_up_percent": None, "floor_minor": 500}, 250, True),
        ({"float_up_percent": None, "float_down_percent": 10}, 269, False),
        ({"float_up_percent": None, "day_ceiling_minor": 6000}, 200, False),
        ({"currency": "EUR"}, 900, True),
    ],
)
async def test_what_it_holds_for(bureau: Bureau, rule: Any, price: int, ok: bool) -> None:  # noqa: FBT001
    await control(bureau, **rule)
    path = await drafted(bureau, document=document(price=price))
    answer = await bureau.post(f"{path}/submit", bureau.drafter)
    assert answer.status_code == (200 if ok else 409), answer.text


async def test_a_draft_binds_nobody_and_an_end_frees(bureau: Bureau) -> None:
    drafted = await bureau.post(
        "/v1/price-controls",
        bureau.drafter,
        price_control_id="c-1",
        legal_reference=REFERENCE,
        base_minor=1,
        ceiling_minor=1,
        valid_from=SINCE,
    )
    assert drafted.json()["hour_ceiling_minor"] == 1
    assert (await bureau.api.get("/v1/price-controls/c-1")).status_code == 404
    await bureau.published()
    await bureau.post("/v1/price-controls/c-1/approve", bureau.approver)
    again = await bureau.post("/v1/price-controls/c-1/approve", bureau.approver)
    problem(again, 409, "price-control-state")
    listed = (await bureau.api.get("/v1/price-controls")).json()["items"]
    assert [each["price_control_id"] for each in listed] == ["c-1"]
    body = {"document": document(price=301)}
    third = await bureau.post("/v1/tariffs/t-1/versions", bureau.drafter, **body)
    path = third.headers["location"]
    problem(await bureau.post(f"{path}/submit", bureau.drafter), 409, "price-control")
    await bureau.decided("/v1/price-controls/c-1/end", valid_to="2026-11-22T09:30:00+08:00")
    bureau.clock.now += timedelta(minutes=1)
    await bureau.carried(third)
    await bureau.act(path, "publish", bureau.approver)


def limits(**amounts: int | None) -> tuple[int | None, int | None]:
    columns: dict[str, Any] = dict.fromkeys(PriceControl.model_fields) | amounts
    control = PriceControl.model_construct(**columns)
    return control.least_minor, control.most_minor


def test_of_float_and_amounts_the_narrower_hold() -> None:
    amounts = {
        "base_minor": 605,
        "float_up_percent": 15,
        "float_down_percent": 15,
        "floor_minor": 500,
        "ceiling_minor": 800,
    }
    # 605 x 1.15 = 695.75 and 605 x 0.85 = 514.25: whole amounts within them.
    assert limits(**amounts) == (515, 695)
    assert limits(**amounts | {"float_up_percent": None, "float_down_percent": 90}) == (500, 800)
    assert limits(base_minor=605) == (None, None)


async def test_the_calendar_is_published_once_and_prices(bureau: Bureau) -> None:
    days = document(price=100)
    days["periods"][0]["days"] = ["workday"]
    await bureau.published(document=days)
    year = {"holidays": ["2027-01-01"], "makeup_workdays": ["2027-01-03"], "reason": "国办发明电"}

    async def put(body: Any) -> Any:
        return await bureau.api.put("/v1/calendar/2027", json=body, headers=bureau.drafter)

    async def fee(day: date) -> int:
        stay = {
            "lot_id": "street",
            "entry": f"{day}T10:00:00+08:00",
            "exit": f"{day}T10:30:00+08:00",
        }
        return int((await bureau.api.post("/v1/quotes", json=stay)).json()["total_minor"])

    assert [await fee(date(2027, 1, day)) for day in (1, 3, 4)] == [100, 0, 100]
    wrong = await put(year | {"holidays": ["2026-01-01", "2027-01-03"]})
    assert len(problem(wrong, 422, "calendar-days")["errors"]) == 2
    await bureau.confirmed(await put(year))
    assert [await fee(date(2027, 1, day)) for day in (1, 3, 4)] == [0, 100, 100]
    problem(await put(year), 409, "calendar-fixed")
    items = (await bureau.api.get("/v1/calendar")).json()["items"]
    assert [(each["year"], each["holidays"]) for each in items] == [(2027, ["2027-01-01"])]
