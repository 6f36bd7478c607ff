"""`/v1/map`: all lots as they are registered."""

import gzip
from datetime import time
from typing import Any

import httpx

from parking_api.coordinates import wgs84_to_gcj02
from parking_api.maps.models import LotColumns
from tests.parking_api.builders import Builder
from tests.parking_api.serving import app_of, get, refused


def lots_of(columns: dict[str, Any]) -> list[dict[str, Any]]:
    """Turn columns into lots."""
    names = [name for name in columns if name not in {"name", "bays"}]
    size = len(columns["lot_id"])
    for column in (*columns["name"].values(), *columns["bays"].values()):
        assert len(column) == size
    return [
        {name: columns[name][place] for name in names}
        | {
            name: {part: each[place] for part, each in columns[name].items()}
            for name in ("name", "bays")
        }
        for place in range(size)
    ]


async def test_it_has_what_is_registered(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot("street", 120.3812345678, lot_type="on_street", district="370202")
    hours: dict[str, Any] = {"opens_at": time(6, 30), "closes_at": time(23)}
    await built.lot(
        "garage", reporting="bays", capacity=3, height_limit_m=1.9, zone_id="z-1", **hours
    )
    await built.bays("garage", *((120.38, 36.06, one) for one in ("ev", "ev", "accessible")))
    await built.lot("gone", retired_at=built.now)
    columns = await get(api, "/v1/map")

    LotColumns.model_validate(columns)
    garage, street = lots_of(columns)
    assert garage == {
        "lot_id": "garage",
        "name": {"zh": "车场 garage", "en": "Lot garage"},
        "lot_type": "surface",
        "district": None,
        "zone_id": "z-1",
        "lon": 120.38,
        "lat": 36.06,
        "capacity": 3,
        "reporting": "bays",
        "bays": {"standard": 0, "accessible": 1, "ev": 2, "large": 0},
        "height_limit_m": 1.9,
        "opens_at": "06:30",
        "closes_at": "23:00",
    }
    assert (street["district"], street["lon"], street["opens_at"]) == ("370202", 120.381235, None)
    assert (street["height_limit_m"], street["closes_at"]) == (None, None)
    # What its gates count has bays that nobody tells of.
    assert set(street["bays"].values()) == {None}


async def test_it_says_what_the_list_of_lots_says(big_api: httpx.AsyncClient) -> None:
    listed: list[dict[str, Any]] = []
    path: str | None = "/v1/lots?limit=1000"
    while path:
        page = (await big_api.get(path)).json()
        listed, path = listed + page["items"], page["next"]
    drawn = lots_of(await get(big_api, "/v1/map"))

    assert len(drawn) > 1000
    assert [one["lot_id"] for one in drawn] == [one["lot_id"] for one in listed]
    for one, other in zip(drawn, listed, strict=True):
        for name in ("name", "lot_type", "district", "zone_id", "reporting", "height_limit_m"):
            assert one[name] == other[name]
        hours = other["opening_hours"]
        assert ({"opens_at": one["opens_at"], "closes_at": one["closes_at"]} == hours) == bool(
            hours
        )
        assert [one["lon"], one["lat"]] == [round(n, 6) for n in other["location"]["coordinates"]]


async def test_bays_are_those_that_the_lot_has(big_api: httpx.AsyncClient) -> None:
    counted = 0
    for lot in lots_of(await get(big_api, "/v1/map"))[:60]:
        bays = (await get(big_api, f"/v1/lots/{lot['lot_id']}/spaces"))["items"]
        for name, count in lot["bays"].items():
            known = sum(bay["space_class"] == name for bay in bays)
            assert count == (known if lot["reporting"] == "bays" else None)
            counted += known
    assert counted > 1000


async def test_places_are_in_the_system_that_is_asked_for(
    api: httpx.AsyncClient, built: Builder
) -> None:
    await built.lot("a", 120.38, 36.06)
    own, chinese = await get(api, "/v1/map"), await get(api, "/v1/map", crs="gcj02")
    assert (own["lon"], own["lat"]) == ([120.38], [36.06])
    there = wgs84_to_gcj02(120.38, 36.06)
    assert (chinese["lon"], chinese["lat"]) == tuple([round(degrees, 6)] for degrees in there)
    assert await refused(api, "/v1/map", crs="utm") == ["crs"]
    assert await refused(api, "/v1/map", bbox="120,36,121,37") == ["bbox"]


async def test_its_tag_changes_with_the_registration_alone(
    api: httpx.AsyncClient, built: Builder
) -> None:
    await built.lot("a")
    await built.report("a", 3)
    first = await api.get("/v1/map")
    tag = {"if-none-match": first.headers["etag"]}
    assert first.headers["cache-control"] == "no-cache"

    async def is_same() -> bool:
        answer = await api.get("/v1/map", headers=tag)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-expose-headers"] == "etag"
        if answer.status_code == 304:
            assert (answer.content, answer.headers["etag"]) == (b"", tag["if-none-match"])
        return answer.status_code == 304

    assert await is_same()
    await built.connection.execute("UPDATE lot_state SET free_spaces = 9, version = version + 1")
    assert await is_same()
    # A closure is no part of it.
    await built.connection.execute("UPDATE lot SET closed_from = now()")
    assert await is_same()
    await built.lot("b")
    assert not await is_same()
    tag["if-none-match"] = (await api.get("/v1/map")).headers["etag"]
    await built.connection.execute("UPDATE lot SET name_en = 'Elsewhere' WHERE lot_id = 'a'")
    assert not await is_same()
    assert (await get(api, "/v1/map"))["name"]["en"] == ["Elsewhere", "Lot b"]


async def test_it_is_written_and_compressed_once(
    big_api: httpx.AsyncClient,
) -> None:
    maps = app_of(big_api).state.maps
    kept = await maps.lots.get("wgs84")
    assert await maps.lots.get("wgs84") is kept
    assert await maps.lots.get("bd09") is not kept
    plain = await big_api.get("/v1/map", headers={"accept-encoding": "identity"})
    async with big_api.stream("GET", "/v1/map", headers={"accept-encoding": "gzip"}) as answer:
        packed = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["etag"] == plain.headers["etag"]
    assert int(answer.headers["content-length"]) == len(packed)
    assert gzip.decompress(packed) == plain.content
    head = await big_api.head("/v1/map", headers={"accept-encoding": "gzip"})
    assert (head.content, head.headers["content-length"]) == (b"", str(len(packed)))
