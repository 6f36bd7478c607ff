"""`/v1/districts`: outlines for maps, which neighbours share."""

import math
from typing import Any

import httpx
import numpy as np
import pytest
import shapely
from shapely import Polygon, box
from shapely.geometry import shape

from parking_api.coordinates import wgs84_to_gcj02
from parking_api.maps.models import DistrictCollection
from parking_api.maps.outlines import simplified
from simulators.city.ground import load_districts
from tests.parking_api.builders import Builder
from tests.parking_api.serving import app_of, get, refused

DEGREE_M = 111_195


def metres(outline: Any) -> Any:
    """An outline of Qingdao in metres, near enough."""
    scale = np.array([DEGREE_M * math.cos(math.radians(36.3)), DEGREE_M])
    return shapely.transform(outline, lambda degrees: degrees * scale)


def shared_line(south: float, north: float) -> list[tuple[float, float]]:
    """A border that winds, with a corner each 11 m."""
    steps = np.arange(south, north, 0.0001)
    return [(120.4 + 0.0003 * math.sin(2000 * lat), lat) for lat in steps.tolist()]


@pytest.fixture
def neighbours() -> list[Polygon]:
    """One in the west, whose border two in the east share."""
    line = shared_line(36.0, 36.1)
    south, north = line[:501], line[500:]
    middle = (120.5, south[-1][1])
    return [
        Polygon([*line, (120.3, 36.1), (120.3, 36.0)]),
        Polygon([*reversed(south), (120.5, 36.0), middle]),
        Polygon([*reversed(north), middle, (120.5, 36.1)]),
    ]


def test_a_shared_border_stays_one(neighbours: list[Polygon]) -> None:
    assert shapely.coverage_is_valid(neighbours)
    found = simplified(neighbours)
    before, after = shapely.get_num_coordinates([neighbours[0], found[0]])
    assert after < before / 3
    # One that is simplified by itself loses the corner where its neighbours meet.
    assert shapely.coverage_is_valid(found)


def test_neighbours_that_share_no_corners_stay_near(neighbours: list[Polygon]) -> None:
    west, east, _ = neighbours
    other = shapely.transform(east, lambda degrees: degrees + np.array([0.000001, 0]))
    for before, after in zip((west, other), simplified([west, other]), strict=True):
        assert after.is_valid
        assert shapely.hausdorff_distance(metres(before), metres(after)) < 25


def test_no_district() -> None:
    assert list(simplified([])) == []


def test_islands_and_holes_stay() -> None:
    hole, island = box(120.04, 36.04, 120.05, 36.05), box(120.2, 36, 120.2001, 36.0001)
    land = shapely.union_all([box(120, 36, 120.1, 36.1) - hole, island])
    (after,) = simplified([land])
    assert shapely.get_num_geometries(after) == 2
    assert shapely.get_num_interior_rings(shapely.get_parts(after)).sum() == 1


async def test_the_districts_of_qingdao(api: httpx.AsyncClient, built: Builder) -> None:
    await built.connection.execute("DELETE FROM district")
    lands = {}
    for district in load_districts():
        lands[district.adcode] = district.land
        await built.connection.execute(
            "INSERT INTO district VALUES ($1, $2, $3, st_multi(st_geomfromwkb($4, 4326)))",
            *(district.adcode, district.name_zh, district.name_en, shapely.to_wkb(district.land)),
        )
    answer = await api.get("/v1/districts")
    told = answer.json()

    assert answer.headers["content-type"] == "application/geo+json"
    DistrictCollection.model_validate(told)
    assert [one["id"] for one in told["features"]] == sorted(lands)
    outlines = [shape(one["geometry"]) for one in told["features"]]
    # Rounding moves a corner that two share to one place.
    assert shapely.coverage_is_valid(outlines)
    for one, outline in zip(told["features"], outlines, strict=True):
        assert one["properties"]["adcode"] == one["id"]
        assert outline.is_valid
        assert shapely.hausdorff_distance(metres(lands[one["id"]]), metres(outline)) < 30
    corners = shapely.get_coordinates(outlines)
    assert (corners == corners.round(5)).all()
    assert len(corners) < len(shapely.get_coordinates(list(lands.values()))) * 0.7


async def test_they_are_in_the_system_that_is_asked_for(api: httpx.AsyncClient) -> None:
    own, chinese = [
        shape((await get(api, "/v1/districts", crs=crs))["features"][0]["geometry"])
        for crs in ("wgs84", "gcj02")
    ]
    shifted = [wgs84_to_gcj02(*corner) for corner in shapely.get_coordinates(own).tolist()]
    assert shapely.get_coordinates(chinese).tolist() == np.round(shifted, 5).tolist()
    assert await refused(api, "/v1/districts", crs="utm") == ["crs"]


async def test_their_tag_changes_with_them_alone(api: httpx.AsyncClient, built: Builder) -> None:
    first = await api.get("/v1/districts")
    assert first.json()["features"][0]["properties"] == {
        "adcode": "370202",
        "name": {"zh": "市南区", "en": "Shinan"},
    }
    tag = {"if-none-match": first.headers["etag"]}
    await built.lot("a", district="370202")
    assert (await api.get("/v1/districts", headers=tag)).status_code == 304
    await built.connection.execute("UPDATE district SET geom = st_multi(st_buffer(geom, 0.1))")
    changed = await api.get("/v1/districts", headers=tag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag["if-none-match"]
    # Written once more, and kept.
    kept = await app_of(api).state.maps.districts.get("wgs84")
    assert await app_of(api).state.maps.districts.get("wgs84") is kept
