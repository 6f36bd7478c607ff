"""/v1/lots/{lot_id}/occupancy."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from parking_api.lots.models import Occupancy, OccupancyStep
from tests.parking_api.builders import Builder
from tests.parking_api.serving import get, refused, serving

START = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)


async def steps(api: httpx.AsyncClient, **parameters: Any) -> list[OccupancyStep]:
    asked = {"from": START.isoformat(), "to": (START + 3 * FIVE_MINUTES).isoformat()}
    answer = await get(api, "/v1/lots/a/occupancy", **asked | parameters)
    return Occupancy.model_validate(answer).items


async def test_a_regular_grid_with_gaps(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot("a")
    await built.step("a", START, free_last=3, free_min=3, free_max=6, free_space_s=1300.0)
    await built.step("a", START + 2 * FIVE_MINUTES, covered_s=75.0, free_space_s=300.0)
    await built.step("a", START + 3 * FIVE_MINUTES)

    first, gap, last = await steps(api)

    assert [step.at for step in (first, gap, last)] == [START + n * FIVE_MINUTES for n in range(3)]
    assert first.model_dump(exclude={"at"}) == {
        "capacity": 10,
        "free_spaces": 4.33,
        "free_min": 3,
        "free_max": 6,
        "free_last": 3,
        "occupancy": 0.5667,
        "coverage": 1.0,
    }
    assert set(gap.model_dump(exclude={"at", "coverage"}).values()) == {None}
    assert gap.coverage == 0
    # No report fell into it: what an earlier one said holds.
    assert (last.free_spaces, last.free_min, last.free_max, last.free_last) == (4, 4, 4, 4)
    assert last.coverage == 0.25


async def test_imported_days_and_what_feeds_wrote_make_one_history(
    api: httpx.AsyncClient, built: Builder
) -> None:
    await built.lot("a")
    midnight = START.replace(hour=0)
    for day_at, of_day in ((midnight - timedelta(days=1), 2.0), (midnight, 7.0)):
        await built.connection.execute(
            "INSERT INTO lot_occupancy_day VALUES ('a', $1, 0, 10, $2)", day_at, [of_day] * 288
        )
    await built.step("a", midnight)
    found = await steps(
        api,
        **{
            "from": (midnight - FIVE_MINUTES).isoformat(),
            "to": (midnight + 2 * FIVE_MINUTES).isoformat(),
        },
    )
    assert [(step.free_spaces, step.occupancy, step.coverage) for step in found] == [
        (8, 0.2, 1),
        (4, 0.6, 1),
        (3, 0.7, 1),
    ]
    until = (midnight + 3 * FIVE_MINUTES).isoformat()
    (both,) = await steps(api, **{"from": midnight.isoformat(), "to": until, "step": 900})
    assert (both.capacity, both.free_last, both.free_min, both.free_max) == (10, 3, 3, 4)


async def test_longer_steps_weigh_by_time(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot("a")
    await built.step("a", START, free_last=9, free_min=2, free_max=9, free_space_s=600.0)
    await built.step(
        "a", START + FIVE_MINUTES, capacity=8, covered_s=100.0, free_space_s=800.0, free_last=8
    )

    (step,) = await steps(api, step=900)

    assert step.at == START
    assert step.free_spaces == 3.5  # (600 + 800) / 400 s
    assert step.occupancy == pytest.approx(1 - 1400 / (300 * 10 + 100 * 8), abs=1e-4)
    assert (step.free_min, step.free_max, step.free_last, step.capacity) == (2, 9, 8, 8)
    assert step.coverage == pytest.approx(400 / 900, abs=1e-4)


async def test_the_newest_report_shows_before_any_second_of_it_has_passed(
    api: httpx.AsyncClient, built: Builder
) -> None:
    await built.lot("a")
    await built.step(
        "a", START, covered_s=0.0, free_space_s=0.0, free_last=5, free_min=5, free_max=5
    )

    step = (await steps(api))[0]

    assert (step.free_spaces, step.occupancy, step.free_last, step.coverage) == (5, None, 5, 0)


async def test_from_is_cut_down_to_a_whole_step(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot("a")
    asked = {"from": "2026-11-20T12:07:31.5+08:00", "to": "2026-11-20T12:15:00+08:00"}

    answer = await get(api, "/v1/lots/a/occupancy", **asked)

    assert [step["at"] for step in answer["items"]] == [
        "2026-11-20T12:05:00+08:00",
        "2026-11-20T12:10:00+08:00",
    ]
    days = await steps(api, step=86_400)
    assert [step.at for step in days] == [datetime(2026, 11, 20, tzinfo=UTC)]


async def test_the_last_day_by_default(database_url: str, built: Builder) -> None:
    await built.lot("a")
    async with serving(database_url, clock=lambda: START + timedelta(minutes=2)) as api:
        items = (await get(api, "/v1/lots/a/occupancy"))["items"]

    assert len(items) == 24 * 12 + 1
    assert datetime.fromisoformat(items[0]["at"]) == START - timedelta(days=1)
    assert datetime.fromisoformat(items[-1]["at"]) == START


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"step": 299}, ["step"]),
        ({"step": 450}, ["step"]),
        ({"step": 86_700}, ["step"]),
        ({"from": "2026-11-20"}, ["from"]),
        ({"to": "1763600000"}, ["to"]),
        ({"until": "2026-11-20T00:00:00Z"}, ["until"]),
    ],
)
async def test_parameters_are_bounded(
    big_api: httpx.AsyncClient, parameters: dict[str, Any], named: list[str]
) -> None:
    assert await refused(big_api, "/v1/lots/lot-0001/occupancy", **parameters) == named


async def test_a_stretch_has_a_length_and_an_end(big_api: httpx.AsyncClient) -> None:
    at = START.isoformat()
    path = "/v1/lots/lot-0001/occupancy"
    empty = await big_api.get(path, params={"from": at, "to": at})
    longest = {"from": at, "to": (START + 10_000 * FIVE_MINUTES).isoformat()}
    too_long = {"from": at, "to": (START + 10_001 * FIVE_MINUTES).isoformat()}

    assert empty.status_code == 422
    assert len((await get(big_api, path, **longest))["items"]) == 10_000
    assert (await big_api.get(path, params=too_long)).status_code == 422
    assert (await big_api.get("/v1/lots/nowhere/occupancy")).status_code == 404
