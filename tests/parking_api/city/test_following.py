"""The copy of the city in memory follows what is committed."""

from datetime import timedelta
from typing import Any

import pytest

from parking_api.city import following
from parking_api.city.following import FollowedCity, followed_city
from parking_api.settings import ApiSettings
from parking_api.worker import BusyError
from tests.parking_api.builders import Builder
from tests.parking_api.city.loading import loaded, lot_at, pooled
from tests.parking_api.city.messages import ingester, state
from tests.polling import until
from tests.servers import Broker


async def test_what_it_knows_ages(database_url: str, built: Builder) -> None:
    await built.lot("a")
    await built.report("a", 3)
    city = await loaded(database_url)

    told = [lot_at(city, "a", built.now + timedelta(seconds=s)) for s in (0, 1000, 3600)]

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
        followed_city(FollowedCity(database), 3600, mqtt_url) as city,
        ingester(broker) as sender,
    ):
        await city.reading.done()

        async def publish(lot_id: str, payload: bytes) -> None:
            await sender.publish(f"onelot/v1/state/{lot_id}", payload, qos=1, retain=True)

        def free() -> Any:
            return lot_at(city, "a", built.now).free_spaces

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
        assert city.as_of == built.now

        broker.stop()
        broker.start()
        async with ingester(broker) as again:
            await again.publish(
                "onelot/v1/state/a", state("a", version + 4, 6, built), qos=1, retain=True
            )
        await until(lambda: free() == 6)


async def test_it_is_read_again_at_intervals(database_url: str, built: Builder) -> None:
    async with (
        pooled(database_url) as database,
        followed_city(FollowedCity(database), 0.02, None) as city,
    ):
        await built.lot("new")
        await until(lambda: "new" in city.table.by_id)
        assert lot_at(city, "new", built.now).status == "unknown"


async def test_what_differs_from_the_database_is_counted_and_mended(
    database_url: str, built: Builder
) -> None:
    for lot_id in ("a", "b", "c"):
        await built.lot(lot_id)
        await built.report(lot_id, 3)
    async with pooled(database_url) as database:
        city = FollowedCity(database)
        city.hears_broker = True
        await city.read()
        await city.compare(["a", "b", "c"])
        assert city.differences == 0

        # A message that was lost, one whose content was broken on its way, a lot that is new.
        await built.connection.execute(
            """
            UPDATE lot_state SET free_spaces = 1, version = version + 100 WHERE lot_id = 'a';
            UPDATE lot_state SET free_spaces = 2 WHERE lot_id = 'b';
            UPDATE lot_state SET committed_at = committed_at - interval '1 minute';
            """
        )
        await built.lot("d")
        await city.compare(["a", "b", "c", "d"])

        assert city.differences == 4
        assert [lot_at(city, lot_id, built.now).free_spaces for lot_id in "abcd"] == [1, 2, 3, None]
        await city.compare(["a", "b", "c", "d"])
        assert city.differences == 4


async def test_a_sample_that_cannot_be_compared_is_not_the_last(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_COMPARE_EVERY_S", 0.01)
    tried = 0

    async def compare(_: FollowedCity, __: Any) -> None:
        nonlocal tried
        tried += 1
        raise BusyError

    monkeypatch.setattr(FollowedCity, "compare", compare)
    async with pooled(database_url) as database, followed_city(FollowedCity(database), 3600, None):
        await until(lambda: tried > 2)
