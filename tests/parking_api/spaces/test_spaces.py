"""/v1/spaces/nearest and /v1/lots/{lot_id}/spaces."""

import json
import random
from typing import Any

import asyncpg
import httpx
import numpy as np
import pytest
from pyproj import Geod

from parking_api.spaces.models import LotSpaces, NearestSpaces
from tests.parking_api.builders import Builder
from tests.parking_api.serving import get, refused
from tests.servers import declared, nodes

HERE = {"lon": 120.38, "lat": 36.06}
WGS_84 = Geod(ellps="WGS84")
STANDARD = "standard"


async def ids(api: httpx.AsyncClient, **parameters: Any) -> list[str]:
    answer = await get(api, "/v1/spaces/nearest", **HERE | parameters)
    return [space["space_id"] for space in answer["spaces"]]


async def three_bays(built: Builder, lot_id: str, **values: Any) -> None:
    """Register a lot of three bays, 90 m apart going east; the second is occupied."""
    await built.lot(lot_id, reporting="bays", capacity=3, **values)
    await built.bays(lot_id, *((round(120.38 + 0.001 * n, 3), 36.06, STANDARD) for n in range(3)))


async def test_only_free_bays_nearest_first(api: httpx.AsyncClient, built: Builder) -> None:
    await three_bays(built, "a")
    await built.report_bays("a", 3, [2], [])

    answer = await get(api, "/v1/spaces/nearest", **HERE)

    NearestSpaces.model_validate(answer)
    assert [space["space_id"] for space in answer["spaces"]] == ["a-0001", "a-0003"]
    assert answer["spaces"][1] | {"distance_m": 0, "observed_at": ""} == {
        "space_id": "a-0003",
        "lot_id": "a",
        "number": 3,
        "level": 2,
        "space_class": "standard",
        "location": {"type": "Point", "coordinates": [120.382, 36.06]},
        "distance_m": 0,
        "data_state": "live",
        "observed_at": "",
    }
    assert answer["spaces"][1]["distance_m"] == pytest.approx(180.2, rel=0.005)
    assert answer["as_of"] is not None
    assert await ids(api, radius_m=100) == ["a-0001"]


async def test_unknown_bays_and_silent_lots_are_left_out(
    api: httpx.AsyncClient, built: Builder
) -> None:
    for lot_id, age_s in (("live", 60), ("stale", 1200), ("silent", 7200)):
        await three_bays(built, lot_id)
        await built.report_bays(lot_id, 3, [1], [2], age_s=age_s)
    await three_bays(built, "never")

    answer = await get(api, "/v1/spaces/nearest", **HERE)

    told = [(space["space_id"], space["data_state"]) for space in answer["spaces"]]
    assert told == [("live-0003", "live"), ("stale-0003", "stale")]


async def test_a_class_and_a_height_are_looked_for(api: httpx.AsyncClient, built: Builder) -> None:
    for lot_id, height_limit_m in (("low", 1.8), ("high", 2.2)):
        await built.lot(lot_id, reporting="bays", capacity=2, height_limit_m=height_limit_m)
        await built.bays(lot_id, (120.38, 36.06, STANDARD), (120.38, 36.06, "ev"))
        await built.report_bays(lot_id, 2, [], [], free_standard=1, free_ev=1)

    assert await ids(api, space_class="ev") == ["high-0002", "low-0002"]
    assert await ids(api, space_class="ev", height_m=2) == ["high-0002"]
    assert await ids(api, space_class="large") == []


async def test_stacked_bays_keep_one_order(api: httpx.AsyncClient, built: Builder) -> None:
    for lot_id in ("b", "a"):
        await built.lot(lot_id, reporting="bays", capacity=40)
        await built.bays(lot_id, *[(120.381, 36.06, STANDARD)] * 40)
        await built.report_bays(lot_id, 40, [1], [])

    whole = await ids(api, limit=78)

    assert whole == [f"{lot_id}-{number:04d}" for lot_id in "ab" for number in range(2, 41)]
    assert await ids(api, limit=5) == whole[:5]


async def test_a_far_bay_of_a_near_lot_does_not_hide_a_nearer_one(
    api: httpx.AsyncClient, built: Builder
) -> None:
    await built.lot("near", reporting="bays", capacity=1)
    await built.bays("near", (120.39, 36.06, STANDARD))
    await built.lot("far", 120.40, reporting="bays", capacity=1)
    await built.bays("far", (120.381, 36.06, STANDARD))
    for lot_id in ("near", "far"):
        await built.report_bays(lot_id, 1, [], [])

    assert await ids(api, limit=1) == ["far-0001"]


async def test_right_against_brute_force(big_api: httpx.AsyncClient, big_city_url: str) -> None:
    connection = await asyncpg.connect(big_city_url)
    bays = await connection.fetch(
        "SELECT s.lot_id, s.number, s.space_class, l.height_limit_m,"
        " st_x(s.geog::geometry) AS lon, st_y(s.geog::geometry) AS lat"
        " FROM space_now AS s JOIN lot_now AS l USING (lot_id) WHERE s.state = 'free'"
        " AND s.data_state <> 'unknown' AND l.status <> 'closed' ORDER BY 1, 2"
    )
    await connection.close()
    assert len(bays) > 30_000
    lons, lats = (np.array([bay[axis] for bay in bays]) for axis in ("lon", "lat"))
    dice = random.Random(3)
    for _ in range(60):
        place = {"lon": dice.gauss(120.38, 0.15), "lat": dice.gauss(36.12, 0.12)}
        ask: dict[str, Any] = place | {"radius_m": dice.choice([300, 2000, 20_000])}
        ask |= dice.choice([{}, {"space_class": "ev"}, {"height_m": 2.0}])
        ask["limit"] = dice.choice([1, 10, 100])
        here = np.full_like(lons, ask["lon"]), np.full_like(lats, ask["lat"])
        distances_m = WGS_84.inv(*here, lons, lats)[2]
        expected = [
            (f"{bays[index]['lot_id']}-{bays[index]['number']:04d}", distances_m[index])
            for index in np.argsort(distances_m, kind="stable")
            if distances_m[index] <= ask["radius_m"]
            and bays[index]["space_class"] == ask.get("space_class", bays[index]["space_class"])
            and (bays[index]["height_limit_m"] or 9) >= ask.get("height_m", 0)
        ][: ask["limit"]]

        answer = (await get(big_api, "/v1/spaces/nearest", **ask))["spaces"]

        assert [space["space_id"] for space in answer] == [name for name, _ in expected], ask
        told = [space["distance_m"] for space in answer]
        assert told == pytest.approx([metres for _, metres in expected], rel=0.005, abs=0.001)


async def test_a_full_city_is_seen_at_once(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot("full", reporting="bays", capacity=20_000)
    await built.connection.execute(
        "INSERT INTO space SELECT 'full', n, 0, 'standard',"
        " st_point(120.38 + n % 100 * 1e-5, 36.06 + n / 100 * 1e-5, 4326)::geography"
        " FROM generate_series(1, 20000) AS n"
    )
    await built.report_bays("full", 20_000, list(range(1, 20_001)), [])
    await built.connection.execute("ANALYZE")

    assert await ids(api, limit=100, radius_m=20_000) == []
    nearest = declared("spaces.nearest_spaces")
    given = {"lon": 120.38, "lat": 36.06, "radius_m": 20_000.0, "most": 100}
    text = await built.connection.fetchval(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {nearest.text}",
        *(given.get(name) for name in nearest.parameters),
    )
    bays = [
        one for one in nodes(json.loads(text)[0]["Plan"]) if one.get("Relation Name") == "space"
    ]
    assert bays
    # Where hardly a bay is free, each one within the radius is looked at, and only once.
    looked_at = (
        one["Actual Loops"] * (one["Actual Rows"] + one.get("Rows Removed by Filter", 0))
        for one in bays
    )
    assert sum(looked_at) <= 20_001


async def test_every_bay_of_a_lot_has_a_state(api: httpx.AsyncClient, built: Builder) -> None:
    await three_bays(built, "a")
    await built.report_bays("a", 3, [1], [2])

    answer = await get(api, "/v1/lots/a/spaces")

    LotSpaces.model_validate(answer)
    assert [bay["state"] for bay in answer["items"]] == ["occupied", "unknown", "free"]
    assert answer["as_of"] == answer["observed_at"]
    assert answer["as_of"].endswith("+08:00")


@pytest.mark.parametrize("age_s", [None, 7200])
async def test_bays_of_a_silent_lot_are_unknown(
    api: httpx.AsyncClient, built: Builder, age_s: int | None
) -> None:
    await three_bays(built, "a")
    if age_s:
        await built.report_bays("a", 3, [1], [], age_s=age_s)

    answer = await get(api, "/v1/lots/a/spaces")

    assert [bay["state"] for bay in answer["items"]] == ["unknown"] * 3
    assert answer["data_state"] == "unknown"


async def test_a_lot_that_counts_shows_no_bays(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot("a")
    await built.bays("a", (120.38, 36.06, STANDARD))
    await built.report("a", 3)

    assert (await get(api, "/v1/lots/a/spaces"))["items"] == []
    assert (await api.get("/v1/lots/b/spaces")).status_code == 404


async def test_parameters_are_bounded(big_api: httpx.AsyncClient) -> None:
    for name, value in (
        ("limit", 101),
        ("radius_m", 20_001),
        ("space_class", "x"),
        ("min_free", 1),
    ):
        assert await refused(big_api, "/v1/spaces/nearest", **HERE | {name: value}) == [name]
    assert await refused(big_api, "/v1/lots/lot-0001/spaces", limit=1) == ["limit"]
