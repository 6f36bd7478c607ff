"""The copy of the city in memory: answers as the database does, follows what is committed."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiomqtt
import asyncpg
import httpx
import orjson
import pytest

from parking_api.city import service
from parking_api.database import Database
from parking_api.lots import queries
from parking_api.lots.following import followed_city
from parking_api.lots.memory import City
from parking_api.lots.models import LotPage, NearestLotsAsk
from parking_api.settings import ApiSettings
from sql.engine import create_pool
from tests.parking_api.builders import Builder
from tests.parking_api.serving import ageless, get, serving
from tests.polling import until
from tests.servers import Broker


@asynccontextmanager
async def pooled(url: str) -> AsyncIterator[Database]:
    async with create_pool(url, application="tests", max_size=2) as pool:
        yield Database(pool, 5.0)


def state(lot_id: str, version: int, free_spaces: int, built: Builder) -> bytes:
    at = built.now.isoformat()
    told = {"lot": lot_id, "epoch": 1, "seq": 2, "version": f"{version:020d}", "capacity": 10}
    told |= {"free_spaces": free_spaces, "unknown_spaces": 0}
    told |= {"observed_at": at, "received_at": at, "committed_at": at}
    return orjson.dumps(told)


def recall(city: City, given: dict[str, Any], now: datetime) -> Any:
    ask = NearestLotsAsk(**given)
    return orjson.loads(orjson.dumps(city.nearest_lots(ask, ask.stay(now), now)))


async def test_it_answers_as_the_database_does(
    big_api: httpx.AsyncClient, big_city_url: str
) -> None:
    city, dice = City(), random.Random(4)
    connection = await asyncpg.connect(big_city_url)
    city.load(await queries.all_lots(connection))
    now = await connection.fetchval("SELECT now()")
    await connection.close()
    for _ in range(100):
        ask: dict[str, Any] = {"lon": dice.gauss(120.38, 0.2), "lat": dice.gauss(36.12, 0.2)}
        ask |= {"min_free": dice.choice([0, 1, 30]), "radius_m": dice.choice([2000, 20_000])}
        ask |= dice.choice([{}, {"space_class": "ev"}, {"height_m": 2.0}])
        ask |= {"at": now.isoformat(), "duration_min": dice.choice([1, 90, 1440])}
        ask |= {"open_throughout": dice.choice([True, False])}
        known = await get(big_api, "/v1/nearest", **ask)
        recalled = recall(city, ask, now)
        expected = known | {"degraded": True, "as_of": recalled["as_of"]}
        assert ageless(recalled) == ageless(expected)

    totals = orjson.loads(
        orjson.dumps(service.city(service.remembered_totals(city, now), degraded=True))
    )
    assert totals == await get(big_api, "/v1/city") | {"degraded": True}


async def listed(api: httpx.AsyncClient, given: dict[str, Any]) -> list[Any]:
    """Follow pages to the end; each page, but for its `next`."""
    pages, path = [], "/v1/lots"
    while path:
        page = await get(api, path, **given)
        following = urlsplit(page.pop("next") or "")
        path, given = following.path, dict(parse_qsl(following.query))
        pages.append(page)
    return pages


def without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    async def reset(*_: object, **__: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr("parking_api.lots.queries.lots", reset)


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
async def test_it_lists_as_the_database_does(
    big_api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, filters: dict[str, Any]
) -> None:
    ask = {"at": datetime.now(UTC).isoformat(), "vehicle": "small"} | filters
    known = await listed(big_api, ask)
    without_a_database(monkeypatch)

    recalled = await listed(big_api, ask)

    as_of = {page.pop("as_of") for page in recalled}
    assert len(as_of) == 1
    assert None not in as_of
    assert ageless(recalled) == ageless([page | {"degraded": True} for page in known])


async def test_it_lists_by_district_zone_and_operator(
    database_url: str, built: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await built.lot("a", district="370202", zone_id="z-1")
    await built.lot("b", zone_id="z-1", operator_id="op-b", gateway_id="gw-s")
    await built.lot("c", lon=121.0, district="370202")
    async with serving(database_url) as fresh:
        without_a_database(monkeypatch)
        asks = {"district": "370202"}, {"zone": "z-1"}, {"operator": "op-b"}, {"zone": "z-2"}
        pages = [await get(fresh, "/v1/lots", **ask) for ask in asks]

    assert [[lot["lot_id"] for lot in page["items"]] for page in pages] == [
        ["a", "c"],
        ["a", "b"],
        ["b"],
        [],
    ]
    for page in pages:
        LotPage.model_validate(page)
        assert page["degraded"] is True


async def test_what_it_knows_ages(database_url: str, built: Builder) -> None:
    await built.lot("a")
    await built.report("a", 3)
    city = City()
    async with pooled(database_url) as database, database.connection() as connection:
        city.load(await queries.all_lots(connection))

    told = [city.lot("a", built.now + timedelta(seconds=s)) for s in (0, 1000, 3600)]

    assert [lot.data_state for lot in told] == ["live", "stale", "unknown"]
    assert [lot.free_spaces for lot in told] == [3, 3, None]


async def test_it_follows_what_is_committed(
    database_url: str, built: Builder, broker: Broker
) -> None:
    await built.lot("a")
    await built.report("a", 3)
    version = built.version
    mqtt_url = ApiSettings(mqtt_url=broker.platform_api).mqtt_url
    async with (
        pooled(database_url) as database,
        followed_city(database, 3600, mqtt_url) as city,
        ingester(broker) as sender,
    ):

        async def publish(lot_id: str, payload: bytes) -> None:
            await sender.publish(f"onelot/v1/state/{lot_id}", payload, qos=1, retain=True)

        def free() -> Any:
            return city.lot("a", built.now).free_spaces

        await publish("a", state("a", version + 2, 7, built))
        await until(lambda: free() == 7)
        # Older, broken, removed and unknown ones change nothing; the one after them arrives.
        await publish("a", state("a", version + 1, 1, built))
        await publish("a", b"{")
        await publish("a", b"")
        await publish("b", state("b", 9, 9, built))
        await publish("a", state("a", version + 3, 5, built))
        await until(lambda: free() != 7)
        assert free() == 5
        assert city.as_of() == built.now

        broker.stop()
        broker.start()
        async with ingester(broker) as again:
            await again.publish(
                "onelot/v1/state/a", state("a", version + 4, 6, built), qos=1, retain=True
            )
        await until(lambda: free() == 6)


def ingester(broker: Broker) -> aiomqtt.Client:
    password = broker.password("platform-ingest")
    return aiomqtt.Client(broker.host, broker.port, username="platform-ingest", password=password)


async def test_it_is_read_again_at_intervals(database_url: str, built: Builder) -> None:
    async with pooled(database_url) as database, followed_city(database, 0.02, None) as city:
        await built.lot("new")
        await until(lambda: len(list(city.lots(built.now))) == 1)
        assert city.lot("new", built.now).status == "unknown"
