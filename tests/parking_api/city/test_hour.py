"""The last hour in `/v1/operations`: by minutes, and from the ingester's heartbeats."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parking_api.city.hour import MINUTES, Hour, Look
from parking_api.city.queries import Applied
from tests.parking_api.builders import Builder
from tests.parking_api.people.keys import keyed
from tests.parking_api.serving import get, serving
from tests.polling import until

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """An instant after noon."""
    return NOON + timedelta(seconds=seconds)


def seen(
    age_s: float | None = 1.0,
    live: int | None = 9,
    restarts: int | None = 0,
    applied: tuple[float, int] | None = None,
) -> Look:
    """A look; `applied` is the heartbeat's instant, seconds after noon, and its observations."""
    told = None if applied is None else Applied(at(applied[0]), applied[1])
    return Look(age_s, live, restarts, told)


def test_a_minute_has_its_worst_and_its_mean() -> None:
    hour = Hour()
    hour.note(at(1), seen(2.0, 10, applied=(0, 500)))
    hour.note(at(6), seen(31.24, 7, applied=(5, 1_000)))
    hour.note(at(11), seen(3.0, 9, applied=(10, 1_200)))
    told = hour.answer(at(12))
    assert told.begins_at == at(0) - timedelta(minutes=MINUTES - 1)
    assert (told.commit_age_s[-1], told.lots_live[-1]) == (31.2, 7)
    assert told.observations_per_s[-1] == 70.0
    assert told.commit_age_s[:-1] == [None] * (MINUTES - 1)


def test_nothing_is_counted_twice_where_no_heartbeat_came() -> None:
    hour = Hour()
    for second, applied in ((1, (0, 0)), (6, (5, 100)), (11, (5, 100)), (16, (15, 300))):
        hour.note(at(second), seen(applied=applied))
    assert hour.answer(at(17)).observations_per_s[-1] == 20.0


def test_an_ingester_that_was_started_anew_is_counted_from_0() -> None:
    hour = Hour()
    for second, total in ((0, 1_000), (5, 2_000), (10, 400)):
        hour.note(at(second + 1), seen(applied=(second, total)))
    assert hour.answer(at(12)).observations_per_s[-1] == 140.0


def test_the_present_is_not_known_once_heartbeats_fail() -> None:
    hour = Hour()
    hour.note(at(1), seen(applied=(0, 0)))
    assert hour.observations_per_s(at(1)) is None
    hour.note(at(6), seen(applied=(5, 1_000)))
    assert hour.observations_per_s(at(7)) == 200.0
    assert hour.observations_per_s(at(36)) is None


def test_restarts_are_counted_in_their_minute() -> None:
    hour = Hour()
    # Where it begins to look there were three; later what runs the programs is started anew.
    for second, restarts in ((1, 3), (59, 4), (61, 6), (121, 0), (126, 1)):
        hour.note(at(second), seen(restarts=restarts))
    assert hour.answer(at(127)).restarts[-3:] == [1, 2, 1]


def test_what_is_not_known_is_null() -> None:
    hour = Hour()
    hour.note(at(1), seen(None, None, None))
    told = hour.answer(at(2))
    for column in (told.commit_age_s, told.lots_live, told.restarts, told.observations_per_s):
        assert column == [None] * MINUTES


def test_no_more_than_an_hour_is_kept() -> None:
    hour = Hour()
    for minute in range(200):
        hour.note(at(60 * minute), seen(float(minute)))
    assert len(hour.minutes) == MINUTES
    told = hour.answer(at(60 * 199))
    assert told.commit_age_s == [float(minute) for minute in range(140, 200)]


async def test_operations_are_told_of_it(
    database_url: str, built: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parking_api.city.hour.LOOK_EVERY_S", 0.02)
    await built.lot("a")
    await built.report("a", 3, age_s=10)
    await built.lot("b")
    async with serving(database_url) as api:
        api.headers.update(await keyed(database_url, "zhao", "operations"))

        async def told() -> dict[str, Any]:
            answer: dict[str, Any] = await get(api, "/v1/operations")
            return answer

        async def has_looked() -> bool:
            return (await told())["last_hour"]["lots_live"][-1] is not None

        async def has_heard_heartbeats() -> bool:
            await built.connection.execute(BEAT)
            return (await told())["observations_per_s"] is not None

        await until(has_looked)
        first = await told()
        assert (first["lots"], first["lots_live"], first["observations_per_s"]) == (2, 1, None)
        assert datetime.fromisoformat(first["as_of"]) == built.now - timedelta(seconds=10)
        await until(has_heard_heartbeats)
        assert (await told())["observations_per_s"] == pytest.approx(100_000, rel=0.01)


# What an ingester writes that applies 100,000 observations a second: so many that whole numbers
# tell the rate over milliseconds.
BEAT = """
    INSERT INTO ingester_status (ingester, heartbeat_at, observations)
    SELECT 'ingester', now(), 100000 * extract(epoch FROM now())
    ON CONFLICT (ingester) DO UPDATE
    SET heartbeat_at = excluded.heartbeat_at, observations = excluded.observations
"""
