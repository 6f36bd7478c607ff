"""Price mechanisms: drafted by one, approved by another once they fit, frozen, retired."""

import asyncio
from typing import Any

import asyncpg
import pytest

import pricing
from parking_api.mechanisms.models import ROAD_BY_SEASON
from parking_api.tariffs.examples import CLASS_1_ROAD
from pricing.mechanism import Mechanism, fit
from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Bureau, person, problem
from tests.parking_api.mechanisms.moving import approved, drafted, mechanism, reviewed, seen
from tests.parking_api.people.keys import keyed


async def test_what_it_must_fit_before_it_is_approved(bureau: Bureau) -> None:
    path = (await drafted(bureau)).headers["location"]
    told = problem(await bureau.post(f"{path}/approve", bureau.approver), 409, "mechanism-unfit")
    assert "no tariff of zone z-1 is in force for on_street" in told["errors"][0]["message"]

    both = {"zones": ["z-1"], "lot_types": ["on_street", "surface"]}
    await bureau.published(applies_to=both)
    told = problem(await bureau.post(f"{path}/approve", bureau.approver), 409, "mechanism-unfit")
    assert (
        "give this zone and these lot types a tariff of their own" in told["errors"][0]["message"]
    )

    hours = [{"id": "day", "days": "all", "start": "07:30", "end": "18:30"}]
    both_types = {"lot_types": ["on_street", "surface"], "time_bands": hours, "ceiling_minor": 500}
    changed = await bureau.api.put(
        path,
        json={"mechanism": mechanism(**both_types), "reason": "时段"},
        headers=bureau.drafter,
    )
    assert changed.status_code == 200
    told = problem(await bureau.post(f"{path}/approve", bureau.approver), 409, "mechanism-unfit")
    assert [fault["parameter"] for fault in told["errors"]] == ["mechanism.time_bands[0]"]
    assert (await bureau.api.get(path)).status_code == 404


async def test_it_stays_within_the_price_control(bureau: Bureau) -> None:
    control = {
        "price_control_id": "guide",
        "legal_reference": {"zh": "指导价", "en": "guided price"},
        "zone_class": None,
        "base_minor": 600,
        "float_up_percent": 20,
        "floor_minor": 300,
        "valid_from": "2026-01-01T00:00:00+08:00",
    }
    # Nothing is priced yet, so that no currency is known: approval will look.
    await bureau.post("/v1/price-controls", bureau.drafter, **control)
    path = (await drafted(bureau)).headers["location"]
    await bureau.published()
    await bureau.act("/v1/price-controls/guide", "approve", bureau.approver)

    for answer in (
        await drafted(bureau, id="m-2"),
        await bureau.api.put(
            path, headers=bureau.drafter, json={"mechanism": mechanism(), "reason": "改"}
        ),
        await bureau.post(f"{path}/approve", bureau.approver),
    ):
        told = problem(answer, 409, "mechanism-unfit")
        which = "指导价 (Price control guide, from 2025-12-31T16:00:00+00:00.)"
        assert told["errors"] == [
            {"parameter": "mechanism.ceiling_minor", "message": f"at most 720 an hour: {which}"},
            {"parameter": "mechanism.floor_minor", "message": f"at least 300 an hour: {which}"},
        ]
    within = await drafted(bureau, id="m-3", ceiling_minor=700, floor_minor=300)
    assert within.status_code == 201


async def test_two_mechanisms_never_move_one_price(bureau: Bureau, built: Builder) -> None:
    path = await approved(bureau)
    other = (await drafted(bureau, id="m-2")).headers["location"]
    told = problem(
        await bureau.post(f"{other}/approve", bureau.approver), 409, "mechanisms-overlap"
    )
    assert told["errors"][0]["message"] == "on_street is moved by m-1"
    await bureau.act(path, "retire", bureau.approver)
    await bureau.act(other, "approve", bureau.approver)
    targets = await built.connection.fetch("SELECT * FROM price_mechanism_target")
    assert [tuple(row) for row in targets] == [("z-1", "on_street", "m-2")]
    problem(await bureau.post(f"{path}/reviews", bureau.drafter), 409, "mechanism-state")


async def test_of_two_who_approve_at_once_one_is_told(bureau: Bureau) -> None:
    await bureau.published()
    paths = [(await drafted(bureau, id=name)).headers["location"] for name in ("m-1", "m-2")]
    answers = await asyncio.gather(
        *(bureau.post(f"{path}/approve", bureau.approver) for path in paths)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_drafter_who_is_no_more_in_office_counts_as_nobody(
    bureau: Bureau, database_url: str
) -> None:
    operations = await keyed(database_url, "sun", "operations", at=bureau.clock.now)
    await bureau.published()
    path = (await drafted(bureau)).headers["location"]
    away = await bureau.api.delete("/v1/people/wang/roles/bureau_drafter", headers=operations)
    assert away.status_code == 200

    problem(await bureau.post(f"{path}/approve", bureau.approver), 409, "not-standing")


async def test_a_frozen_mechanism_proposes_nothing(bureau: Bureau, built: Builder) -> None:
    path = await approved(bureau)
    await seen(built, bureau, full_s=90.0)
    assert (await reviewed(bureau, path))["proposals"][0]["after_minor"] > 600
    assert (await bureau.act(path, "freeze", bureau.approver))["mode"] == "frozen"
    problem(await bureau.post(f"{path}/freeze", bureau.approver), 409, "mechanism-state")
    problem(await bureau.post(f"{path}/reviews/1/draft", bureau.drafter), 409, "review-state")
    (proposal,) = (await reviewed(bureau, path))["proposals"]
    assert proposal["reason"] == "frozen"
    assert (await bureau.act(path, "resume", bureau.approver))["mechanism"]["mode"] == "on"
    assert (await reviewed(bureau, path))["proposals"][0]["reason"] != "frozen"


async def test_who_may_do_what(bureau: Bureau, database_url: str) -> None:
    both = await person(database_url, "zhao", "bureau_drafter", "bureau_approver")
    operations = await person(database_url, "sun", "operations")
    path = await approved(bureau)
    assert (await bureau.post(f"{path}/reviews", operations)).status_code == 201
    assert (await bureau.post(f"{path}/reviews/1/draft", operations)).status_code == 403
    assert (await bureau.post(f"{path}/freeze", bureau.drafter)).status_code == 403
    assert (await bureau.api.get(f"{path}/reviews")).status_code == 401
    assert (await bureau.api.get("/v1/mechanisms")).json()["items"][0]["mechanism_id"] == "m-1"
    problem(await bureau.post(f"{path}/retire", bureau.drafter), 403, "not-the-drafter")

    own = await bureau.post("/v1/mechanisms", both, mechanism=mechanism(id="m-2"))
    problem(await bureau.post(f"{own.headers['location']}/approve", both), 403, "same-person")
    problem(await drafted(bureau, id="m-2"), 409, "mechanism-exists")


async def test_bad_mechanisms_are_told_what_is_wrong(bureau: Bureau) -> None:
    wrong = {"id": "M 1", "floor_minor": 1010, "step_up_percent": 40}
    told = (await drafted(bureau, **wrong)).json()
    assert told["status"] == 422
    assert {fault["parameter"] for fault in told["errors"]} == {"mechanism.step_up_percent"}
    bad: list[dict[str, Any]] = [
        {"id": "M 1"},
        {"floor_minor": 1010},
        {"zone_id": "z\u0000"},
        {"time_bands": []},
        {"colour": "red"},
    ]
    for fields in bad:
        assert (await drafted(bureau, **fields)).status_code == 422, fields
    problem(await drafted(bureau, zone_id="z-9"), 409, "mechanism-unfit")


async def test_the_record_is_never_changed(
    bureau: Bureau, built: Builder, database_url: str
) -> None:
    path = await approved(bureau)
    await reviewed(bureau, path)
    app = await asyncpg.connect(database_url)
    for statement in (
        "UPDATE mechanism_review SET proposals = '[]'",
        "DELETE FROM mechanism_review",
        "DELETE FROM price_mechanism",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(statement)
    await app.close()
    with pytest.raises(asyncpg.RestrictViolationError):
        await built.connection.execute("UPDATE price_mechanism SET definition = '{}'")


def test_the_example_fits_the_example_of_a_tariff() -> None:
    given = Mechanism.model_validate(ROAD_BY_SEASON)
    periods = fit(given, pricing.read_tariff(CLASS_1_ROAD))
    assert [(one.season, int(one.price)) for one in periods] == [("peak", 700), ("off-peak", 400)]
