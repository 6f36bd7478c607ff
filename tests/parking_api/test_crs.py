"""Coordinates in the systems of Chinese maps: asked with, and answered in."""

import random
from typing import Any

import httpx
import pytest

from parking_api.coordinates import Crs, asked_box, asked_place, from_wgs84, to_wgs84
from parking_api.lots.models import LotCollection, NearestLotCollection
from parking_api.spaces.models import NearestSpaceCollection
from tests.parking_api.builders import Builder
from tests.parking_api.lots.events import Event, events
from tests.parking_api.serving import ageless, close_streams, get

HERE = (120.38, 36.06)
OTHERS: list[Crs] = ["gcj02", "bd09"]


@pytest.fixture
async def app(api: httpx.AsyncClient, built: Builder) -> httpx.AsyncClient:
    """The API of two lots, one of them with a bay."""
    await built.lot("a", *HERE)
    await built.lot("b", 120.381, 36.06, reporting="bays", capacity=1)
    await built.bays("b", (120.381, 36.06, "standard"))
    await built.report("a", 3)
    await built.report("b", 1, capacity=1, occupied_bits=b"\0", unknown_bits=b"\0")
    return api


def found_places(value: Any) -> list[list[float]]:
    """Collect each position of an answer."""
    if isinstance(value, list):
        return [each for one in value for each in found_places(one)]
    if not isinstance(value, dict):
        return []
    own = [value["coordinates"]] if value.get("type") == "Point" else []
    return own + [each for one in value.values() for each in found_places(one)]


def converted(position: list[float], crs: Crs) -> list[float]:
    return list(from_wgs84(position[0], position[1], crs))


def moved(value: Any, crs: Crs) -> Any:
    """An answer whose points are converted one by one, as a client would."""
    if isinstance(value, list):
        return [moved(one, crs) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "Point":
        return value | {"coordinates": converted(value["coordinates"], crs)}
    return {key: moved(one, crs) for key, one in value.items()}


@pytest.mark.parametrize("crs", OTHERS)
@pytest.mark.parametrize("source", ["memory", "database"])
async def test_a_question_in_another_system_is_the_same_question(
    app: httpx.AsyncClient, crs: Crs, source: str
) -> None:
    stay = {"at": "2026-11-22T09:30:00Z"}
    lon, lat = from_wgs84(*HERE, crs)
    there = {"lon": lon, "lat": lat, "crs": crs, "source": source}
    for path, given in (("/v1/nearest", stay), ("/v1/spaces/nearest", {})):
        for form in ({}, {"f": "geojson"}):
            asked = {**given, **form}
            known = await get(app, path, lon=HERE[0], lat=HERE[1], **asked, source=source)
            told = await get(app, path, **there, **asked)
            for one in (known, told):
                for lot in one.get("lots", []) + one.get("spaces", []):
                    lot["distance_m"] = round(lot["distance_m"], 1)
                for feature in one.get("features", []):
                    rounded = round(feature["properties"]["distance_m"], 1)
                    feature["properties"]["distance_m"] = rounded
            assert found_places(told)
            assert ageless(told) == ageless(moved(known, crs))
    for path in ("/v1/lots", "/v1/lots?f=geojson", "/v1/lots/a", "/v1/lots/b/spaces"):
        params = {} if path.endswith("spaces") else stay
        known = (await app.get(path, params=httpx.QueryParams({**_query(path), **params}))).json()
        asked = {**_query(path), **params, "crs": crs, "source": source}
        told = (await app.get(path.partition("?")[0], params=asked)).json()
        assert found_places(told), told
        assert ageless(told) == ageless(moved(known, crs))


def _query(path: str) -> dict[str, str]:
    return dict(httpx.QueryParams(path.partition("?")[2]))


async def every_lot(api: httpx.AsyncClient, **asked: Any) -> list[Any]:
    """Follow the pages of lots to the end."""
    found: list[Any] = []
    while True:
        page = await get(api, "/v1/lots", **asked)
        found += page["items"]
        if page["next"] is None:
            return found
        asked = _query(page["next"])


@pytest.mark.parametrize("crs", OTHERS)
async def test_a_box_has_all_that_lies_in_it(big_api: httpx.AsyncClient, crs: Crs) -> None:
    lots = await every_lot(big_api, limit=1000, crs=crs)
    assert len(lots) > 1500
    dice = random.Random(crs)
    for source in ("memory", "database"):
        for _ in range(10):
            west, south = dice.uniform(119.6, 120.6), dice.uniform(35.6, 36.6)
            east, north = west + dice.uniform(0, 0.8), south + dice.uniform(0, 0.8)
            inside = {
                lot["lot_id"]
                for lot in lots
                if west <= lot["location"]["coordinates"][0] <= east
                and south <= lot["location"]["coordinates"][1] <= north
            }
            box = f"{west},{south},{east},{north}"
            asked: dict[str, Any] = {"bbox": box, "crs": crs, "limit": 1000, "source": source}
            listed = await every_lot(big_api, **asked)
            found = {lot["lot_id"]: lot["location"]["coordinates"] for lot in listed}
            assert inside <= found.keys()
            for lon, lat in found.values():
                assert west - 0.005 < lon < east + 0.005
                assert south - 0.005 < lat < north + 0.005


@pytest.mark.parametrize("crs", OTHERS)
def test_every_place_on_earth_can_be_asked_for(crs: Crs) -> None:
    for lon in (-180.0, -0.0, 72.004, 120.38, 137.8347, 180.0):
        for lat in (-90.0, 0.0, 36.06, 90.0):
            east, north = asked_place(lon, lat, crs)
            assert -180 <= east <= 180
            assert -90 <= north <= 90
            box = asked_box(max(lon - 1, -180), max(lat - 1, -90), lon, lat, crs)
            assert box[0] <= box[2]
            assert box[1] <= box[3]
    back = to_wgs84(*from_wgs84(*HERE, crs), crs)
    assert back == pytest.approx(HERE, abs=1e-7)


async def test_features(app: httpx.AsyncClient) -> None:
    here: dict[str, Any] = {"lon": HERE[0], "lat": HERE[1], "f": "geojson"}
    for path, model, id_ in (
        ("/v1/nearest", NearestLotCollection, "a"),
        ("/v1/spaces/nearest", NearestSpaceCollection, "b-0001"),
        ("/v1/lots", LotCollection, "a"),
    ):
        given: dict[str, Any] = {"f": "geojson"} if path == "/v1/lots" else here
        answer = await app.get(path, params=given)
        assert answer.headers["content-type"] == "application/geo+json"
        model.model_validate_json(answer.content)
        first = answer.json()["features"][0]
        assert first["id"] == id_
        assert "location" not in first["properties"]


async def test_zones(app: httpx.AsyncClient) -> None:
    known = (await get(app, "/v1/zones/z-1"))["geometry"]
    told = (await get(app, "/v1/zones/z-1", crs="gcj02"))["geometry"]
    whole = await get(app, "/v1/zones", crs="gcj02")
    assert [zone["geometry"] for zone in whole["features"]] == [told]
    assert told["type"] == known["type"]
    for polygon, other in zip(told["coordinates"], known["coordinates"], strict=True):
        for ring, other_ring in zip(polygon, other, strict=True):
            assert ring == [converted(each, "gcj02") for each in other_ring]


async def test_the_stream(app: httpx.AsyncClient) -> None:
    close_streams(app)

    async def first(**asked: Any) -> Event:
        async with app.stream("GET", "/v1/stream", params=asked) as answer:
            reader = events(answer.aiter_bytes())
            found = [event async for event in reader]
        return found[0]

    known = await first(lon=HERE[0], lat=HERE[1], radius_m=50)
    lon, lat = from_wgs84(*HERE, "bd09")
    told = await first(lon=lon, lat=lat, radius_m=50, crs="bd09")
    assert known.lots == ["a"]
    assert told.data == moved(known.data, "bd09")
    boxed = await first(bbox=f"{lon},{lat},{lon},{lat}", crs="bd09")
    assert boxed.data == told.data
