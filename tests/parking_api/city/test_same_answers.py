"""The copy in memory answers as SQL does, but for the age of what it tells.

SAME_ANSWERS=10000 asks that many questions of each kind instead of 300.
"""

import asyncio
import os
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import asyncpg
import httpx
import pytest

from parking_api.lots.models import LotPage
from tests.parking_api.builders import Builder
from tests.parking_api.serving import ageless, get

QUESTIONS = int(os.environ.get("SAME_ANSWERS", "300"))
AT_ONCE = 4
# Around the big city, and a little beyond it.
WEST, SOUTH, EAST, NORTH = 119.9, 35.6, 121.0, 36.8
CLASSES = ["standard", "accessible", "ev", "large"]

Question = tuple[str, dict[str, Any]]


def place(dice: random.Random) -> dict[str, Any]:
    return {
        "lon": round(dice.uniform(WEST, EAST), 6),
        "lat": round(dice.uniform(SOUTH, NORTH), 6),
        "limit": dice.choice([1, 3, 10, 10, 10, 100]),
        "radius_m": dice.choice([50, 500, 2000, 2000, 20_000]),
    }


def some(dice: random.Random, **parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if dice.random() < 0.3}


def stay(dice: random.Random) -> dict[str, Any]:
    return some(
        dice,
        at=f"2026-11-{dice.randint(10, 28)}T{dice.randint(10, 23)}:00:00+08:00",
        duration_min=dice.choice([1, 60, 600, 2000]),
    )


def nearest(dice: random.Random) -> Question:
    return "/v1/nearest", place(dice) | stay(dice) | some(
        dice,
        crs=dice.choice(["gcj02", "bd09"]),
        lot_type=dice.choice(["surface", "on_street", "underground"]),
        min_free=dice.choice([0, 0, 2, 50]),
        space_class=dice.choice(CLASSES),
        height_m=dice.choice([1.9, 2.1, 2.2, 3.0]),
        open_throughout="true",
    )


def nearest_spaces(dice: random.Random) -> Question:
    wanted = some(dice, space_class=dice.choice(CLASSES), height_m=dice.choice([1.9, 2.1, 2.2]))
    return "/v1/spaces/nearest", place(dice) | wanted


def lots(dice: random.Random) -> Question:
    west, south = dice.uniform(WEST, EAST), dice.uniform(SOUTH, NORTH)
    return "/v1/lots", stay(dice) | {"limit": dice.choice([1, 20])} | some(
        dice,
        bbox=f"{west:.4f},{south:.4f},{west + 0.2:.4f},{south + 0.2:.4f}",
        status=dice.choice(["open", "full", "closed", "unknown"]),
        lot_type=dice.choice(["surface", "on_street", "underground"]),
        open_throughout="true",
        cursor=f"lot-{dice.randint(0, 1700):04d}",
    )


def places(dice: random.Random) -> Question:
    asked = some(dice, crs=dice.choice(["gcj02", "bd09"]), limit=dice.choice([1, 50]))
    near = {"lon": dice.uniform(WEST, EAST), "lat": dice.uniform(SOUTH, NORTH)}
    name = dice.choice(["车场", "chechang", "cc", "lot", "车场1", "Lot 16", "nowhere"])
    return "/v1/places", {"q": name} | asked | dice.choice([{}, near])


async def answer(api: httpx.AsyncClient, path: str, **parameters: Any) -> Any:
    given = await api.get(path, params=parameters)
    assert given.status_code == 200, given.text
    return ageless(given.json())


@pytest.mark.parametrize("ask", [nearest, nearest_spaces, lots, places])
async def test_questions(
    big_api: httpx.AsyncClient, ask: Callable[[random.Random], Question]
) -> None:
    dice = random.Random(ask.__name__)
    answered = 0

    async def compare(numbers: range) -> None:
        nonlocal answered
        for _ in numbers:
            path, parameters = ask(dice)
            recalled = await answer(big_api, path, **parameters)
            told = await answer(big_api, path, **parameters, source="database")
            told.pop("next", None), recalled.pop("next", None)
            assert recalled == told, (path, parameters)
            answered += bool(next(iter(recalled.values())))

    await asyncio.gather(*(compare(range(QUESTIONS // AT_ONCE)) for _ in range(AT_ONCE)))
    assert answered > QUESTIONS / 4


async def test_every_lot_and_the_totals(big_api: httpx.AsyncClient) -> None:
    for page in range(0, 1700, 100):
        after = {"limit": 100, "cursor": f"lot-{page:04d}"}
        found = await answer(big_api, "/v1/lots", **after)
        assert (
            found["items"]
            == (await answer(big_api, "/v1/lots", **after, source="database"))["items"]
        )
        for lot in found["items"][:3]:
            for path in (f"/v1/lots/{lot['lot_id']}", f"/v1/lots/{lot['lot_id']}/spaces"):
                told = await answer(big_api, path, source="database")
                assert await answer(big_api, path) == told
    assert await answer(big_api, "/v1/city") == await answer(big_api, "/v1/city", source="database")


async def test_lots_that_are_retired_or_closed_for_a_time(
    big_api: httpx.AsyncClient, big_city_url: str
) -> None:
    connection = await asyncpg.connect(big_city_url)
    rows = await connection.fetch(
        "SELECT lot_id, retired_at, is_shut FROM lot FULL JOIN lot_now USING (lot_id)"
    )
    await connection.close()
    retired = [row["lot_id"] for row in rows if row["retired_at"]]
    shut = [row["lot_id"] for row in rows if row["is_shut"]]
    assert min(len(retired), len(shut)) > 30
    for lot_id in retired:
        for path in (f"/v1/lots/{lot_id}", f"/v1/lots/{lot_id}/spaces"):
            recalled = await big_api.get(path)
            told = await big_api.get(path, params={"source": "database"})
            assert recalled.status_code == told.status_code == 410
            assert recalled.content == told.content
        assert (await big_api.get(f"/v1/lots/{lot_id}/occupancy")).status_code == 200
    listed = [lot for page in await pages(big_api, limit=1000) for lot in page["items"]]
    assert {lot["lot_id"] for lot in listed} == {row["lot_id"] for row in rows} - {*retired}
    assert {lot["lot_id"] for lot in listed if "closed_until" in lot} == {*shut}
    assert {lot["status"] for lot in listed if "closed_until" in lot} == {"closed"}
    # Those too of which nothing is known.
    assert {lot["data_state"] for lot in listed if "closed_until" in lot} > {"unknown"}
    assert {lot["closed_reason"] for lot in listed if "closed_until" in lot} > {None}


async def pages(api: httpx.AsyncClient, **given: Any) -> list[Any]:
    """Follow pages to the end; each page, but for its `next`."""
    found, path = [], "/v1/lots"
    while path:
        page = await answer(api, path, **given)
        following = urlsplit(page.pop("next") or "")
        path, given = following.path, dict(parse_qsl(following.query))
        found.append(page)
    return found


@pytest.mark.parametrize(
    "filters",
    [
        {"limit": 500},
        {"f": "geojson", "limit": 1000, "duration_min": 1440},
        {"bbox": "120.3,36.0,120.45,36.2", "operator": "op-7"},
        {"lot_type": "underground", "status": "full"},
        {"status": "closed", "limit": 7},
        {"status": "unknown", "bbox": "120.3,36.0,120.31,36.2"},
        {"open_throughout": True, "duration_min": 240, "limit": 700},
        {"open_throughout": False, "cursor": "lot-1600"},
        {"district": "370202"},
        {"zone": "z-1"},
    ],
)
async def test_pages(big_api: httpx.AsyncClient, filters: dict[str, Any]) -> None:
    ask = {"at": "2026-11-22T09:30:00+08:00", "vehicle": "small"} | filters
    assert await pages(big_api, **ask) == await pages(big_api, **ask, source="database")


async def test_it_lists_by_district_zone_and_operator(
    api: httpx.AsyncClient, built: Builder
) -> None:
    await built.lot("a", district="370202", zone_id="z-1")
    await built.lot("b", zone_id="z-1", operator_id="op-b", gateway_id="gw-s")
    await built.lot("c", lon=121.0, district="370202")
    asks = {"district": "370202"}, {"zone": "z-1"}, {"operator": "op-b"}, {"zone": "z-2"}

    for source in ("memory", "database"):
        found = [await get(api, "/v1/lots", **ask, source=source) for ask in asks]
        for page in found:
            LotPage.model_validate(page)
        assert [[lot["lot_id"] for lot in page["items"]] for page in found] == [
            ["a", "c"],
            ["a", "b"],
            ["b"],
            [],
        ]
