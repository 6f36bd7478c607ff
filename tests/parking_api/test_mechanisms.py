"""Prices that move: approved once, reviewed by what was seen, changed by people."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

import pricing
from parking_api.__main__ import main
from parking_api.audit.verifying import verify
from parking_api.mechanisms.examples import ROAD_BY_SEASON
from parking_api.tariffs.examples import CLASS_1_ROAD
from pricing.mechanism import Mechanism
from pricing.mechanism_tariff import fit
from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Bureau, document, person, problem

TODAY = datetime.fromisoformat("2026-11-22T00:00:00+08:00")
DAY = timedelta(days=1)

HISTORY = """
INSERT INTO lot_occupancy (lot_id, step_at, capacity, covered_s, free_space_s, full_s)
SELECT $1, at, $2, $3, $4, $5
FROM generate_series($6::timestamptz, $7::timestamptz - interval '5 minutes', '5 minutes') AS at
"""


def mechanism(**fields: Any) -> dict[str, Any]:
    """A mechanism for zone z-1's street, whose tariff is 6.00 an hour around the clock."""
    return {
        "id": "m-1",
        "zone_id": "z-1",
        "lot_types": ["on_street"],
        "time_bands": [{"id": "all", "days": "all", "start": "00:00", "end": "24:00"}],
        "floor_minor": 200,
        "ceiling_minor": 1000,
        "grid_minor": 20,
    } | fields


async def drafted(bureau: Bureau, **fields: Any) -> Any:
    return await bureau.post("/v1/mechanisms", bureau.drafter, mechanism=mechanism(**fields))


async def approved(bureau: Bureau, tariff: Any = None, **fields: Any) -> str:
    """Publish the tariff, draft the mechanism, approve it; give its path."""
    await bureau.published(document=tariff or document())
    answer = await drafted(bureau, **fields)
    assert answer.status_code == 201, answer.text
    path = str(answer.headers["location"])
    told = await bureau.act(path, "approve", bureau.approver)
    assert (told["state"], told["approved_by"]) == ("approved", "li")
    # The price has stood since long ago when it is reviewed.
    bureau.clock.now += 60 * DAY
    return path


async def by_season(bureau: Bureau, **seasons: tuple[str, str]) -> str:
    """The same with a price for each season, from its first day to its last."""
    day = document()["periods"][0]
    days = {name: {"from": first, "to": last} for name, (first, last) in seasons.items()}
    periods = [day | {"id": name, "season": season} for name, season in days.items()]
    given = [{"id": name, **season} for name, season in days.items()]
    return await approved(bureau, document(periods=periods), seasons=given)


async def seen(
    built: Builder,
    bureau: Bureau,
    lot_id: str = "street",
    *,
    capacity: int = 10,
    occupancy: float = 0.95,
    full_s: float = 0.0,
    covered_s: float = 300.0,
) -> None:
    """Write the 28 whole days before the clock's."""
    end = bureau.clock.now.astimezone(TODAY.tzinfo).replace(hour=0, minute=0)
    free = (1 - occupancy) * capacity * covered_s
    await built.connection.execute(
        HISTORY, lot_id, capacity, covered_s, free, full_s, end - 28 * DAY, end
    )


async def reviewed(bureau: Bureau, path: str, status: int = 201) -> Any:
    answer = await bureau.post(f"{path}/reviews", bureau.drafter)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_from_a_mechanism_to_a_price(bureau: Bureau, built: Builder) -> None:
    path = await approved(bureau)
    await seen(built, bureau, occupancy=0.95, full_s=90.0)

    review = await reviewed(bureau, path)

    (proposal,) = review["proposals"]
    assert proposal["occupancy"] == pytest.approx(0.95)
    assert proposal["coverage"] == pytest.approx(1)
    assert proposal["pressure"] == pytest.approx(0.3)
    # Erlang's 0.59 of ten spaces is raised to 0.70.
    assert proposal["target"] == pytest.approx({"lower": 0.5, "upper": 0.7})
    assert 0.5 < proposal["rests"]["lower"] < proposal["rests"]["upper"] < 0.7
    assert proposal["before_minor"] == 600
    assert 600 < proposal["after_minor"] <= 750
    assert proposal["after_minor"] % 20 == 0
    assert "占用率" in proposal["text"]["zh"] or "到达" in proposal["text"]["zh"]
    assert (review["tariff_id"], review["version"], review["lots"]) == ("t-1", 1, 1)
    # As midnight of its zone, in UTC.
    assert review["read_to"] == "2027-01-20T16:00:00+00:00"
    assert review["drafted"] is None

    version = await bureau.carried(await bureau.post(f"{path}/reviews/1/draft", bureau.drafter))

    assert version == "/v1/tariffs/t-1/versions/2"
    told = await bureau.act(version, "publish", bureau.approver)
    tier = told["document"]["periods"][0]["tiers"][0]
    # The document's unit is half an hour.
    assert tier["price_minor"] == proposal["after_minor"] / 2
    again = (await bureau.api.get(f"{path}/reviews/1", headers=bureau.drafter)).json()
    assert again["drafted"]["version"] == 2
    stay = {
        "lot_id": "street",
        "entry": (bureau.clock.now + DAY).isoformat(),
        "exit": (bureau.clock.now + DAY + timedelta(hours=1)).isoformat(),
    }
    quote = (await bureau.api.post("/v1/quotes", json=stay)).json()
    assert (quote["total_minor"], quote["version"]) == (proposal["after_minor"], 2)
    assert (await verify(built.connection)).entries >= 8

    # What has just changed is left alone for 28 days.
    await built.connection.execute("DELETE FROM lot_occupancy")
    bureau.clock.now += 2 * DAY
    await seen(built, bureau)
    (proposal,) = (await reviewed(bureau, path))["proposals"]
    assert proposal["reason"] == "too_soon"
    assert proposal["before_minor"] == proposal["after_minor"] == quote["total_minor"]


async def test_what_was_not_seen_moves_no_price(bureau: Bureau, built: Builder) -> None:
    path = await approved(bureau)
    (proposal,) = (await reviewed(bureau, path))["proposals"]
    assert (proposal["reason"], proposal["coverage"], proposal["occupancy"]) == (
        "coverage",
        0,
        None,
    )
    await seen(built, bureau, covered_s=260.0)
    (proposal,) = (await reviewed(bureau, path))["proposals"]
    assert proposal["reason"] == "coverage"
    assert proposal["coverage"] == pytest.approx(260 / 300)
    problem(await bureau.post(f"{path}/reviews/2/draft", bureau.drafter), 409, "review-state")


async def test_lots_count_by_their_spaces_and_neighbours_stand_beside(
    bureau: Bureau, built: Builder
) -> None:
    path = await approved(bureau, rule="sfpark", floor_minor=200)
    await built.lot("larger", lot_type="on_street", capacity=30)
    await built.connection.execute("UPDATE lot SET capacity = 10 WHERE lot_id = 'street'")
    await built.connection.execute("UPDATE lot SET zone_id = 'z-1' WHERE lot_id = 'larger'")
    await seen(built, bureau, capacity=10, occupancy=0.9)
    await seen(built, bureau, "larger", capacity=30, occupancy=0.5)
    await seen(built, bureau, "garage", capacity=50, occupancy=1.0, full_s=150.0)
    await seen(built, bureau, "outside", capacity=50, occupancy=1.0, full_s=300.0)

    review = await reviewed(bureau, path)

    (proposal,) = review["proposals"]
    # (10 x 0.9 + 30 x 0.5) / 40 spaces.
    assert proposal["occupancy"] == pytest.approx(0.6)
    assert (review["lots"], proposal["spaces"]) == (2, 30)
    assert proposal["pressure"] == 0
    # The garage is beside, what lies outside is not.
    assert proposal["pressure_beside"] == pytest.approx(0.5)


async def test_a_lot_with_a_tariff_of_its_own_is_not_read(bureau: Bureau, built: Builder) -> None:
    path = await approved(bureau)
    await built.lot("own", lot_type="on_street", capacity=10)
    await built.connection.execute("UPDATE lot SET zone_id = 'z-1' WHERE lot_id = 'own'")
    await bureau.published(document=document("t-own"), applies_to={"lots": ["own"]})
    await seen(built, bureau)
    assert (await reviewed(bureau, path))["lots"] == 1


async def test_seasons_keep_prices_of_their_own(bureau: Bureau, built: Builder) -> None:
    """Off-peak, from 11 October to 19 April, only the off-peak price is looked at."""
    path = await by_season(bureau, peak=("04-20", "10-10"), off=("10-11", "04-19"))
    await seen(built, bureau, full_s=90.0)

    review = await reviewed(bureau, path)

    (proposal,) = review["proposals"]
    assert proposal["season"] == "off"
    assert proposal["after_minor"] > 600
    carried = await bureau.carried(await bureau.post(f"{path}/reviews/1/draft", bureau.drafter))
    told = (await bureau.api.get(carried, headers=bureau.drafter)).json()
    tiers = [each["tiers"][0]["price_minor"] for each in told["document"]["periods"]]
    assert tiers == [300, proposal["after_minor"] / 2]


async def test_a_season_that_has_just_begun_has_not_been_seen(
    bureau: Bureau, built: Builder
) -> None:
    """On 21 January 2027 a season from 15 January has 6 of the 28 days: 21 %."""
    path = await by_season(bureau, new=("01-15", "06-30"), old=("07-01", "01-14"))
    await seen(built, bureau)
    (proposal,) = (await reviewed(bureau, path))["proposals"]
    assert (proposal["season"], proposal["reason"]) == ("new", "coverage")
    assert proposal["coverage"] == pytest.approx(6 / 28)


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
    assert (await bureau.post("/v1/price-controls", bureau.drafter, **control)).status_code == 201
    await bureau.act("/v1/price-controls/guide", "approve", bureau.approver)
    await bureau.published()
    path = (await drafted(bureau)).headers["location"]
    told = problem(await bureau.post(f"{path}/approve", bureau.approver), 409, "mechanism-unfit")
    assert told["errors"] == [
        {"parameter": "mechanism.ceiling_minor", "message": "at most 720 an hour: 指导价"},
        {"parameter": "mechanism.floor_minor", "message": "at least 300 an hour: 指导价"},
    ]


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


async def test_only_the_newest_review_becomes_a_version_and_once(
    bureau: Bureau, built: Builder
) -> None:
    path = await approved(bureau)
    await seen(built, bureau, full_s=90.0)
    await reviewed(bureau, path)
    await reviewed(bureau, path)
    problem(await bureau.post(f"{path}/reviews/1/draft", bureau.drafter), 409, "review-state")
    problem(await bureau.post(f"{path}/reviews/3/draft", bureau.drafter), 404, "review-unknown")
    first = await bureau.post(f"{path}/reviews/2/draft", bureau.drafter)
    assert first.status_code == 201
    told = problem(
        await bureau.post(f"{path}/reviews/2/draft", bureau.drafter), 409, "review-state"
    )
    assert "version 2 of t-1 was drafted already" in told["detail"]

    await reviewed(bureau, path)
    await bureau.act(
        await bureau.version("t-1", document=document(price=330)), "publish", bureau.approver
    )
    told = problem(
        await bureau.post(f"{path}/reviews/3/draft", bureau.drafter), 409, "review-state"
    )
    assert "another version has come into force" in told["detail"]


async def test_reviews_come_page_by_page(bureau: Bureau) -> None:
    path = await approved(bureau)
    for _ in range(3):
        await reviewed(bureau, path)
    page = (await bureau.api.get(f"{path}/reviews?limit=2", headers=bureau.drafter)).json()
    assert [each["number"] for each in page["items"]] == [3, 2]
    page = (await bureau.api.get(page["next"], headers=bureau.drafter)).json()
    assert [each["number"] for each in page["items"]] == [1]
    assert page["next"] is None


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


async def test_the_job_reviews_all_and_says_why(
    bureau: Bureau,
    built: Builder,
    database_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = await approved(bureau)
    arguments = ["review", "--database-url", database_url, "--reason", "每日"]
    assert await asyncio.to_thread(main, arguments) == 0
    assert "m-1 1 all: 600 -> 600" in capsys.readouterr().out
    row = await built.connection.fetchrow("SELECT * FROM mechanism_review")
    assert row is not None
    assert row["reviewed_by"] == "command"
    assert json.loads(row["proposals"])[0]["reason"] in {"coverage", "too_soon"}

    # The command looks at the clock on the wall.
    bureau.clock.now = datetime.now(UTC)
    await bureau.act("/v1/tariffs/t-1/versions/1", "withdraw", bureau.approver)
    assert await asyncio.to_thread(main, arguments) == 1
    assert "no tariff of zone z-1" in capsys.readouterr().err
    assert await asyncio.to_thread(main, [*arguments, "--mechanism", "m-9"]) == 1
    assert "no such price mechanism" in capsys.readouterr().err
    reviews = (await bureau.api.get(f"{path}/reviews", headers=bureau.drafter)).json()["items"]
    assert len(reviews) == 1


def test_the_example_fits_the_example_of_a_tariff() -> None:
    given = Mechanism.model_validate(ROAD_BY_SEASON)
    periods = fit(given, pricing.read_tariff(CLASS_1_ROAD))
    assert [(one.season, int(one.price)) for one in periods] == [("peak", 700), ("off-peak", 400)]
