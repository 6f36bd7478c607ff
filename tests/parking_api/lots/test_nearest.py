"""/v1/nearest: filters, then rightness over a whole city, and its plan."""

import json
import random
from typing import Any

import asyncpg
import httpx
import numpy as np
import pytest
from pyproj import Geod

from parking_api.lots.models import NearestLots
from tests.parking_api.builders import Builder
from tests.parking_api.serving import get, refused
from tests.servers import declared, nodes

HERE = {"lon": 120.38, "lat": 36.06}
PLACES = 1000
WGS_84 = Geod(ellps="WGS84")


async def ids(api: httpx.AsyncClient, **parameters: Any) -> list[str]:
    answer = await get(api, "/v1/nearest", **HERE | parameters)
    return [lot["lot_id"] for lot in answer["lots"]]


async def test_a_lot_is_told_as_the_contract_has_it(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot("a", 120.3822, zone_id="z-1", capacity=12)
    await built.report("a", 4, capacity=12)

    answer = await get(api, "/v1/nearest", **HERE)

    (lot,) = NearestLots.model_validate(answer).lots
    assert answer["degraded"] is False
    assert lot.distance_m == pytest.approx(198.2, rel=0.005)
    assert (lot.capacity, lot.free_spaces, lot.status, lot.data_state) == (12, 4, "open", "live")
    assert answer["lots"][0]["observed_at"].endswith("+08:00")
    assert answer["lots"][0] | {"distance_m": 0, "observed_at": "", "age_s": 0} == {
        "lot_id": "a",
        "name": {"zh": "车场 a", "en": "Lot a"},
        "lot_type": "surface",
        "location": {"type": "Point", "coordinates": [120.3822, 36.06]},
        "distance_m": 0,
        "capacity": 12,
        "free_spaces": 4,
        "unknown_spaces": 0,
        "status": "open",
        "data_state": "live",
        "observed_at": "",
        "age_s": 0,
        "zone_id": "z-1",
        "quote": None,
    }


async def test_as_of_is_the_newest_commit_of_all(api: httpx.AsyncClient, built: Builder) -> None:
    assert (await get(api, "/v1/nearest", **HERE))["as_of"] is None
    await built.lot("far", lat=36.9)
    await built.report("far", 1)

    answer = await get(api, "/v1/nearest", **HERE)

    assert answer["lots"] == []
    assert NearestLots.model_validate(answer).as_of == await built.connection.fetchval(
        "SELECT committed_at FROM lot_state"
    )


async def test_only_lots_with_enough_free_spaces(api: httpx.AsyncClient, built: Builder) -> None:
    for lot_id, free_spaces in (("f0", 0), ("f1", 1), ("f5", 5)):
        await built.lot(lot_id)
        await built.report(lot_id, free_spaces)
    await built.lot("never-heard-of")

    assert await ids(api) == ["f1", "f5"]
    assert await ids(api, min_free=5) == ["f5"]
    assert await ids(api, min_free=0) == ["f0", "f1", "f5", "never-heard-of"]


async def test_old_data_is_never_shown_without_saying_so(
    api: httpx.AsyncClient, built: Builder
) -> None:
    for lot_id, age_s in (("live", 60), ("stale", 1200), ("silent", 7200)):
        await built.lot(lot_id)
        await built.report(lot_id, 3, age_s=age_s)

    answer = await get(api, "/v1/nearest", **HERE, min_free=0)

    told = {lot["lot_id"]: lot for lot in answer["lots"]}
    assert {lot_id: lot["data_state"] for lot_id, lot in told.items()} == {
        "live": "live",
        "stale": "stale",
        "silent": "unknown",
    }
    assert told["silent"]["free_spaces"] is None
    assert await ids(api) == ["live", "stale"]


async def test_a_closed_lot_is_left_out(api: httpx.AsyncClient, built: Builder) -> None:
    hours = await built.connection.fetchrow(
        "SELECT (now() AT TIME ZONE 'Asia/Shanghai' + interval '2 h')::time,"
        " (now() AT TIME ZONE 'Asia/Shanghai' + interval '3 h')::time"
    )
    assert hours is not None
    await built.lot("closed", opens_at=hours[0], closes_at=hours[1])
    await built.report("closed", 5)

    assert await ids(api, min_free=0) == []


async def test_a_high_vehicle_finds_lots_that_admit_it(
    api: httpx.AsyncClient, built: Builder
) -> None:
    for lot_id, height_limit_m in (("low", 1.8), ("high", 2.2), ("open-air", None)):
        await built.lot(lot_id, height_limit_m=height_limit_m)
        await built.report(lot_id, 3)

    assert await ids(api, height_m=2.2) == ["high", "open-air"]
    assert await ids(api, height_m=1.8) == ["high", "low", "open-air"]


async def test_a_space_class_is_looked_for(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot("counts")
    await built.report("counts", 5)
    for lot_id, free_ev, age_s in (("ev-0", 0, 60), ("ev-2", 2, 60), ("ev-old", 2, 7200)):
        await built.lot(lot_id, reporting="bays")
        await built.report_bays(lot_id, 10, [1], [], free_ev=free_ev, age_s=age_s)

    answer = await get(api, "/v1/nearest", **HERE, space_class="ev")

    assert [(lot["lot_id"], lot["free_of_class"]) for lot in answer["lots"]] == [("ev-2", 2)]
    assert NearestLots.model_validate(answer)
    assert await ids(api, space_class="ev", min_free=3) == []
    assert await ids(api, space_class="ev", min_free=0) == ["ev-2"]


async def test_ties_go_by_lot_id_and_the_radius_is_inclusive(
    api: httpx.AsyncClient, built: Builder
) -> None:
    for lot_id in ("c", "a", "b"):
        await built.lot(lot_id, 120.39)
        await built.report(lot_id, 3)
    distance_m = await built.connection.fetchval(
        "SELECT st_distance(geog, st_point(120.38, 36.06, 4326)::geography) FROM lot LIMIT 1"
    )

    assert await ids(api, limit=2) == ["a", "b"]
    assert await ids(api, radius_m=distance_m) == ["a", "b", "c"]
    assert await ids(api, radius_m=distance_m - 0.001) == []


async def test_the_spheroids_order_not_the_spheres(api: httpx.AsyncClient, built: Builder) -> None:
    # On the sphere the one to the north is nearer, on the spheroid the one to the east.
    await built.lot("east", 120.38 + 0.0110995)
    await built.lot("north", lat=36.06 + 0.0089980)
    for lot_id in ("east", "north"):
        await built.report(lot_id, 3)
    spherical = await built.connection.fetch(
        "SELECT lot_id FROM lot ORDER BY geog <-> st_point(120.38, 36.06, 4326)::geography"
    )
    measured = {
        "east": WGS_84.inv(120.38, 36.06, 120.38 + 0.0110995, 36.06)[2],
        "north": WGS_84.inv(120.38, 36.06, 120.38, 36.06 + 0.0089980)[2],
    }

    assert await ids(api) == sorted(measured, key=lambda lot_id: measured[lot_id])
    assert await ids(api) != [row["lot_id"] for row in spherical]
    assert await ids(api, limit=1) in (["east"], ["north"])


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("lon", "nan"),
        ("lon", "inf"),
        ("lon", "180.1"),
        ("lon", "1\x00"),
        ("lat", "-inf"),
        ("lat", "-90.5"),
        ("lat", ""),
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "1.5"),
        ("radius_m", "0"),
        ("radius_m", "20001"),
        ("radius_m", "nan"),
        ("min_free", "-1"),
        ("min_free", "10001"),
        ("space_class", "huge"),
        ("space_class", "ev\x00"),
        ("vehicle", "A b"),
        ("vehicle", "x" * 65),
        ("height_m", "0.9"),
        ("height_m", "nan"),
        ("at", "2026-11-22T09:30:00"),
        ("at", "1764000000"),
        ("at", "1999-12-31T23:59:59Z"),
        ("at", "2100-01-01T00:00:00Z"),
        ("at", "2026-02-30T00:00:00Z"),
        ("duration_min", "0"),
        ("duration_min", "43201"),
        ("colour", "red"),
    ],
)
async def test_a_parameter_out_of_bounds_is_named(
    big_api: httpx.AsyncClient, parameter: str, value: str
) -> None:
    assert await refused(big_api, "/v1/nearest", **HERE | {parameter: value}) == [parameter]


async def test_a_place_is_required_once(big_api: httpx.AsyncClient) -> None:
    assert await refused(big_api, "/v1/nearest", lon=120) == ["lat"]
    assert await refused(big_api, "/v1/nearest", lon=120, lat=[36, 37]) == ["lat"]


async def test_times_for_the_price_are_taken(api: httpx.AsyncClient) -> None:
    price = {"at": "2026-11-22T09:30:00+08:00", "duration_min": 90, "vehicle": "small"}
    assert await ids(api, **price) == []
    # A "+" that nobody encoded.
    answer = await api.get("/v1/nearest?lon=120&lat=36&at=2026-11-22T09:30:00+08:00")
    assert answer.status_code == 200


async def brute_force(connection: "asyncpg.Connection[Any]") -> Any:
    """Read every lot, with what it would take for it to be an answer."""
    return await connection.fetch(
        "SELECT lot_id, free_spaces, free_ev, height_limit_m, st_x(geog::geometry) AS lon,"
        " st_y(geog::geometry) AS lat FROM lot_now"
        " WHERE status IN ('open', 'full') ORDER BY lot_id"
    )


def question(dice: random.Random) -> dict[str, Any]:
    """Draw a place in and around the city, and what is looked for there."""
    ask: dict[str, Any] = {
        "lon": dice.uniform(119.3, 121.3) if dice.random() < 0.5 else dice.gauss(120.38, 0.15),
        "lat": dice.uniform(35.3, 37.4) if dice.random() < 0.5 else dice.gauss(36.12, 0.12),
        "radius_m": dice.choice([300, 2000, 5000, 20_000]),
        "limit": dice.choice([1, 10, 10, 100]),
        "min_free": dice.choice([1, 1, 20]),
    }
    if dice.random() < 0.3:
        ask["height_m"] = 2.0
    if dice.random() < 0.3:
        ask["space_class"] = "ev"
    return ask


async def test_right_against_brute_force(big_api: httpx.AsyncClient, big_city_url: str) -> None:
    connection = await asyncpg.connect(big_city_url)
    lots = await brute_force(connection)
    await connection.close()
    lons, lats = (np.array([lot[axis] for lot in lots]) for axis in ("lon", "lat"))
    dice, found = random.Random(2), 0
    for _ in range(PLACES):
        ask = question(dice)
        here = np.full_like(lons, ask["lon"]), np.full_like(lats, ask["lat"])
        distances_m = WGS_84.inv(*here, lons, lats)[2]
        expected = [
            (lots[index]["lot_id"], distances_m[index])
            for index in np.argsort(distances_m, kind="stable")
            if distances_m[index] <= ask["radius_m"] and suits(lots[index], ask)
        ][: ask["limit"]]

        answer = (await get(big_api, "/v1/nearest", **ask))["lots"]

        assert [lot["lot_id"] for lot in answer] == [lot_id for lot_id, _ in expected], ask
        told = [lot["distance_m"] for lot in answer]
        assert told == pytest.approx([metres for _, metres in expected], rel=0.005, abs=0.001)
        found += len(answer)
    assert found > 4 * PLACES


def suits(lot: Any, ask: dict[str, Any]) -> bool:
    enough = ask["min_free"]
    high_enough = (lot["height_limit_m"] or 9) >= ask.get("height_m", 0)
    if "space_class" in ask and (lot["free_ev"] is None or lot["free_ev"] < enough):
        return False
    return high_enough and bool(lot["free_spaces"] >= enough)


ALL = {"lon": "120.38", "lat": "36.1", "radius_m": "2000", "most": "10"}


async def plan_of(url: str, name: str, optional: dict[str, str], mode: str) -> list[dict[str, Any]]:
    """Explain the very statement that the API sends, planned as asked."""
    connection = await asyncpg.connect(url, server_settings={"jit": "off"})
    try:
        await connection.execute(f"SET plan_cache_mode = {mode}")
        statement = declared(name)
        given = ALL | optional
        arguments = ", ".join(given.pop(each, "null") for each in statement.parameters)
        assert not given
        await connection.execute(f"PREPARE asked AS {statement.text}")
        text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked({arguments})")
        return nodes(json.loads(text)[0]["Plan"])
    finally:
        await connection.close()


DAY = {"opens_by": "now()", "closes_after": "now() + interval '1 day'"}
LOT_OPTIONS = [
    {"min_free": "1"},
    {"min_free": "0"},
    {"min_free": "1", "space_class": "'ev'", "height_m": "2.0", **DAY},
]


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("optional", LOT_OPTIONS)
async def test_lots_are_found_by_the_index(
    big_city_url: str, mode: str, optional: dict[str, str]
) -> None:
    plan = await plan_of(big_city_url, "lots.nearest_lots", optional, mode)

    used = [node for node in plan if node.get("Index Name") == "lot_geog_idx"]
    assert len(used) == 2
    assert any("<->" in str(node.get("Order By")) for node in used)
    assert not [n for n in plan if n["Node Type"] == "Seq Scan" and n["Relation Name"] == "lot"]


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("optional", [{}, {"space_class": "'ev'", "height_m": "2.0"}])
async def test_bays_are_found_by_the_index(
    big_city_url: str, mode: str, optional: dict[str, str]
) -> None:
    plan = await plan_of(big_city_url, "spaces.nearest_spaces", optional, mode)

    assert {"space_geog_idx", "space_pkey"} <= {str(node.get("Index Name")) for node in plan}
    assert not [n for n in plan if n["Node Type"] == "Seq Scan" and n["Relation Name"] == "space"]
