"""/v1/city."""

import httpx

from parking_api.city.models import CityTotals
from tests.parking_api.builders import Builder
from tests.parking_api.serving import get, refused


async def test_an_empty_city(api: httpx.AsyncClient) -> None:
    city = CityTotals.model_validate(await get(api, "/v1/city"))

    assert (city.lots, city.capacity, city.free_spaces, city.occupancy) == (0, 0, 0, None)
    assert city.as_of is None
    assert [district.adcode for district in city.districts] == ["370202"]


async def test_totals_of_the_city_and_its_districts(api: httpx.AsyncClient, built: Builder) -> None:
    for lot_id, free_spaces, age_s in (("a", 2, 60), ("b", 4, 1200), ("c", 5, 7200)):
        await built.lot(lot_id, district="370202", capacity=20)
        await built.report(lot_id, free_spaces, age_s=age_s, capacity=20)
    await built.lot("outside", capacity=100)
    await built.report("outside", 60, capacity=80)

    city = CityTotals.model_validate(await get(api, "/v1/city"))

    assert (city.lots, city.capacity, city.free_spaces) == (4, 140, 66)
    assert city.occupancy == 0.45  # 54 of the 120 spaces of which something is known
    assert (city.live, city.stale, city.estimated, city.unknown) == (2, 1, 0, 1)
    inside, outside = city.districts
    assert inside.name is not None
    assert (inside.adcode, inside.name.zh, inside.name.en) == ("370202", "市南区", "Shinan")
    assert (inside.lots, inside.capacity, inside.free_spaces) == (3, 60, 6)
    assert (inside.live, inside.stale, inside.unknown) == (1, 1, 1)
    assert (outside.adcode, outside.name, outside.lots) == (None, None, 1)
    newest = await built.connection.fetchval("SELECT max(committed_at) FROM lot_state")
    assert city.as_of == newest
    assert city.degraded is False


async def test_it_takes_no_parameters(big_api: httpx.AsyncClient) -> None:
    assert await refused(big_api, "/v1/city", district="370202") == ["district"]


async def test_districts_sum_to_the_city(big_api: httpx.AsyncClient) -> None:
    city = CityTotals.model_validate(await get(big_api, "/v1/city"))

    # Of 1,670, forty are retired.
    assert city.lots == 1630
    assert city.lots == city.live + city.stale + city.unknown
    for total in ("lots", "capacity", "free_spaces", "live", "stale", "unknown"):
        assert sum(getattr(part, total) for part in city.districts) == getattr(city, total)
