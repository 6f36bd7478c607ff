"""/v1/lots and /v1/lots/{lot_id}."""

from datetime import time
from typing import Any

import httpx
import pytest

from parking_api.lots.models import LotAnswer, LotCollection, LotPage
from tests.parking_api.builders import Builder
from tests.parking_api.serving import get, refused


async def ids(api: httpx.AsyncClient, **parameters: Any) -> list[str]:
    return [lot["lot_id"] for lot in (await get(api, "/v1/lots", **parameters))["items"]]


async def test_one_lot_is_told_whole(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot(
        "a",
        district="370202",
        zone_id="z-1",
        lot_type="underground",
        land_use="mall",
        reporting="bays",
        capacity=10,
        levels=2,
        height_limit_m=2.1,
        opens_at=time(0, 0),
        closes_at=time(0, 0),
    )
    await built.report_bays("a", 10, [1, 2], [3])

    answer = await get(api, "/v1/lots/a")

    LotAnswer.model_validate(answer)
    assert "gateway_id" not in answer
    assert answer["version"] == f"{built.version:020d}"
    assert answer["as_of"] == answer["committed_at"]
    assert answer.pop("stay")["duration_min"] == 60
    assert 60 <= answer["age_s"] < 90
    for key in ("observed_at", "age_s", "committed_at", "as_of", "version"):
        answer.pop(key)
    assert answer == {
        "lot_id": "a",
        "name": {"zh": "车场 a", "en": "Lot a"},
        "operator_id": "op-a",
        "district": "370202",
        "zone_id": "z-1",
        "lot_type": "underground",
        "land_use": "mall",
        "reporting": "bays",
        "report_interval_s": 600,
        "levels": 2,
        "height_limit_m": 2.1,
        "opening_hours": {"opens_at": "00:00", "closes_at": "00:00"},
        "timezone": "Asia/Shanghai",
        "location": {"type": "Point", "coordinates": [120.38, 36.06]},
        "capacity": 10,
        "free_spaces": 7,
        "unknown_spaces": 1,
        "free_by_class": {"standard": 7, "accessible": 0, "ev": 0, "large": 0},
        "status": "open",
        "data_state": "live",
        "quote": None,
        "degraded": False,
    }


async def test_a_lot_never_heard_of_is_unknown(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot("a")

    lot = LotAnswer.model_validate(await get(api, "/v1/lots/a"))

    assert (lot.capacity, lot.free_spaces, lot.status) == (10, None, "unknown")
    assert (lot.version, lot.observed_at, lot.as_of, lot.age_s) == (None, None, None, None)
    assert lot.unknown_spaces == 10


async def test_times_are_in_the_lots_own_zone(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot("a", timezone="Asia/Kathmandu")
    await built.report("a", 1)

    assert (await get(api, "/v1/lots/a"))["observed_at"].endswith("+05:45")


async def test_pages_follow_each_other(api: httpx.AsyncClient, built: Builder) -> None:
    for number in range(5):
        await built.lot(f"lot-{number}", lot_type="on_street" if number == 2 else "surface")
    seen, path = [], "/v1/lots?lot_type=surface&limit=2&bbox=120,36,121,37"
    while path:
        page = LotPage.model_validate((await api.get(path)).json())
        assert len(page.items) <= 2
        seen += [lot.lot_id for lot in page.items]
        path = page.next or ""

    assert seen == ["lot-0", "lot-1", "lot-3", "lot-4"]


async def test_a_full_last_page_has_no_next(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot("a")
    assert (await get(api, "/v1/lots", limit=1))["next"] is None
    await built.lot("b")
    following = (await get(api, "/v1/lots", limit=1, at="2026-11-22T09:30:00+08:00"))["next"]
    assert following == "/v1/lots?at=2026-11-22T01%3A30%3A00Z&limit=1&cursor=a"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["a", "b"]),
        ({"bbox": "120.38,36.06,120.39,36.07"}, ["a"]),
        ({"bbox": "-180,-90,-179,-89"}, []),
        ({"district": "370202"}, ["a"]),
        ({"zone": "z-1"}, ["a"]),
        ({"operator": "op-b"}, ["b"]),
        ({"lot_type": "surface"}, ["a"]),
        ({"status": "full"}, ["a"]),
        ({"status": "unknown"}, ["b"]),
        ({"status": "full", "operator": "op-b"}, []),
    ],
)
async def test_filters_add_up(
    api: httpx.AsyncClient, built: Builder, filters: dict[str, str], expected: list[str]
) -> None:
    await built.lot("a", district="370202", zone_id="z-1")
    await built.report("a", 0)
    await built.lot("b", 120.5, operator_id="op-b", lot_type="on_street")

    assert await ids(api, **filters) == expected


async def test_geojson_is_a_feature_collection(api: httpx.AsyncClient, built: Builder) -> None:
    for lot_id in ("a", "b"):
        await built.lot(lot_id)

    asked: Any = {"f": "geojson", "limit": 1, "at": "2026-11-22T01:30:00Z"}
    answer = await api.get("/v1/lots", params=asked)

    assert answer.headers["content-type"] == "application/geo+json"
    collection = LotCollection.model_validate(answer.json())
    assert collection.next == "/v1/lots?at=2026-11-22T01%3A30%3A00Z&limit=1&f=geojson&cursor=a"
    assert [feature.geometry.coordinates for feature in collection.features] == [(120.38, 36.06)]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("bbox", "121,36,120,37"),
        ("bbox", "120,37,121,36"),
        ("bbox", "115,36,121,37"),
        ("bbox", "120,31,121,37"),
        ("bbox", "180,36,181,37"),
        ("bbox", "120,36,121"),
        ("bbox", "120,36,121,nan"),
        ("bbox", "120,36,121,1e1"),
        ("bbox", ""),
        ("limit", "1001"),
        ("limit", "0"),
        ("district", "'; --"),
        ("zone", "\x00"),
        ("operator", ""),
        ("lot_type", "garage"),
        ("status", "busy"),
        ("cursor", "A"),
        ("f", "xml"),
        ("offset", "3"),
    ],
)
async def test_a_parameter_out_of_bounds_is_named(
    big_api: httpx.AsyncClient, parameter: str, value: str
) -> None:
    assert await refused(big_api, "/v1/lots", **{parameter: value}) == [parameter]


async def test_an_unknown_lot_is_not_found(big_api: httpx.AsyncClient) -> None:
    answer = await big_api.get("/v1/lots/nowhere")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "There is no such lot."
