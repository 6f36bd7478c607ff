"""Reviews of prices: what was seen, what is proposed and why, and what comes of it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from parking_api.__main__ import main
from parking_api.audit.service import verify
from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Bureau, document, problem
from tests.parking_api.mechanisms.moving import DAY, approved, by_season, reviewed, seen


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
    assert proposal["rests"] == pytest.approx({"lower": 0.65, "upper": 0.7})
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
    path = await approved(bureau, rule="sfpark", step_minor=60, small_step_minor=20)
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
    await bureau.decided("/v1/tariffs/t-1/versions/1/withdraw", leaves_unpriced=True)
    assert await asyncio.to_thread(main, arguments) == 1
    assert "no tariff of zone z-1" in capsys.readouterr().err
    assert await asyncio.to_thread(main, [*arguments, "--mechanism", "m-9"]) == 1
    assert "no such price mechanism" in capsys.readouterr().err
    reviews = (await bureau.api.get(f"{path}/reviews", headers=bureau.drafter)).json()["items"]
    assert len(reviews) == 1
