"""When a lot closes during a stay: the rule in Python, in SQL, and in answers."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking_api.city.opening import Opening, closes_within, is_open
from parking_api.lots.models import LotAnswer, LotCollection, LotPage, NearestLots, NearestLotsAsk
from tests.parking_api.builders import Builder
from tests.parking_api.serving import get

DAY = (time(6, 30), time(23, 0))
NIGHT = (time(18, 0), time(2, 0))
ALWAYS = (time(0, 0), time(0, 0))
TO_MIDNIGHT = (time(6, 0), time(0, 0))
CHINA, NEW_YORK = "Asia/Shanghai", "America/New_York"
QUARTER = timedelta(minutes=15)
HERE = {"lon": 120.38, "lat": 36.06}


@pytest.mark.parametrize(
    ("hours", "zone", "start", "minutes", "closing"),
    [
        (DAY, CHINA, "2026-11-22T21:00:00+08:00", 60, None),
        (DAY, CHINA, "2026-11-22T22:30:00+08:00", 60, "2026-11-22T23:00:00+08:00"),
        # Half-open: who leaves at the very time of closing has not been closed in.
        (DAY, CHINA, "2026-11-22T22:00:00+08:00", 60, None),
        (DAY, CHINA, "2026-11-22T22:00:00+08:00", 61, "2026-11-22T23:00:00+08:00"),
        (DAY, CHINA, "2026-11-22T09:00:00+08:00", 4320, "2026-11-22T23:00:00+08:00"),
        # Closed when the stay starts, whether it opens later or not.
        (DAY, CHINA, "2026-11-22T23:00:00+08:00", 60, "2026-11-22T23:00:00+08:00"),
        (DAY, CHINA, "2026-11-22T06:00:00+08:00", 120, "2026-11-22T06:00:00+08:00"),
        (NIGHT, CHINA, "2026-11-22T23:00:00+08:00", 240, "2026-11-23T02:00:00+08:00"),
        (NIGHT, CHINA, "2026-11-23T01:00:00+08:00", 240, "2026-11-23T02:00:00+08:00"),
        (NIGHT, CHINA, "2026-11-22T18:00:00+08:00", 480, None),
        (TO_MIDNIGHT, CHINA, "2026-11-22T23:30:00+08:00", 60, "2026-11-23T00:00:00+08:00"),
        (ALWAYS, CHINA, "2026-11-22T23:00:00+08:00", 43_200, None),
        ((None, None), CHINA, "2026-11-22T23:00:00+08:00", 43_200, None),
        # New York's night of 25 hours: 01:00 to 02:00 comes twice.
        (
            (time(6, 0), time(1, 30)),
            NEW_YORK,
            "2026-11-01T00:30:00-04:00",
            240,
            "2026-11-01T01:30:00-04:00",
        ),
        (
            (time(6, 0), time(1, 30)),
            NEW_YORK,
            "2026-11-01T01:10:00-05:00",
            240,
            "2026-11-01T01:30:00-05:00",
        ),
        (
            (time(6, 0), time(3, 0)),
            NEW_YORK,
            "2026-11-01T00:30:00-04:00",
            240,
            "2026-11-01T03:00:00-05:00",
        ),
        # And its night of 23 hours: 02:00 to 03:00 never comes.
        (
            (time(6, 0), time(2, 30)),
            NEW_YORK,
            "2026-03-08T01:00:00-05:00",
            240,
            "2026-03-08T03:30:00-04:00",
        ),
    ],
)
def test_the_first_instant_at_which_it_is_not_open(
    hours: tuple[time | None, time | None],
    zone: str,
    start: str,
    minutes: int,
    closing: str | None,
) -> None:
    begin = datetime.fromisoformat(start)

    found = closes_within(*hours, zone, begin, begin + timedelta(minutes=minutes))

    assert (found and found.isoformat()) == closing


clock_times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@given(
    opens_at=clock_times,
    closes_at=clock_times,
    start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001
    minutes=st.integers(1, 3 * 1440),
)
def test_by_the_minute_it_is_open_until_then(
    opens_at: time, closes_at: time, start: datetime, minutes: int
) -> None:
    begin = start.replace(second=0, microsecond=0, tzinfo=UTC)
    end = begin + timedelta(minutes=minutes)
    walk = (begin + timedelta(minutes=passed) for passed in range(minutes))
    zone = ZoneInfo(CHINA)
    closed = [at for at in walk if not is_open(opens_at, closes_at, at.astimezone(zone).time())]

    assert closes_within(opens_at, closes_at, CHINA, begin, end) == next(iter(closed), None)


async def test_the_database_has_the_same_rule(database_url: str) -> None:
    """Every quarter of an hour around clock changes of several zones, hours of every kind."""
    zones = [CHINA, NEW_YORK, "Australia/Lord_Howe", "Europe/London", "America/Sao_Paulo"]
    hours = [*(time(h, m) for h in range(0, 24, 3) for m in (0, 30)), time(1, 15), time(2, 15)]
    days = [datetime(2026, *day, tzinfo=UTC) for day in ((3, 8), (3, 29), (4, 4), (10, 4), (11, 1))]
    starts = [day + timedelta(minutes=15 * n) for day in days for n in range(-8, 104)]
    cases = [
        (hours[i % len(hours)], hours[(i // 3) % len(hours)], zones[i % len(zones)], start,
         start + timedelta(minutes=60 + i % 900))
        for repeat in range(4)
        for i, start in enumerate(starts, 7919 * repeat)
    ]  # fmt: skip
    connection = await asyncpg.connect(database_url)

    told = await connection.fetch(
        "SELECT closes_within(o, c, z, s, e) AS at FROM unnest("
        "$1::time[], $2::time[], $3::text[], $4::timestamptz[], $5::timestamptz[])"
        " AS given (o, c, z, s, e)",
        *map(list, zip(*cases, strict=True)),
    )

    await connection.close()
    # In UTC: Python holds no time of a repeated hour equal to one of another zone.
    found = [closes_within(*case) for case in cases]
    assert [row["at"] for row in told] == [at and at.astimezone(UTC) for at in found]
    assert {row["at"] is None for row in told} == {True, False}


instants = st.integers(0, 40).map(lambda n: datetime(2026, 11, 22, tzinfo=UTC) + n * QUARTER)


@given(begins=st.none() | instants, lasts=st.none() | st.integers(1, 20), start=instants)
def test_a_closure_is_half_open(
    begins: datetime | None, lasts: int | None, start: datetime
) -> None:
    ends = None if begins is None or lasts is None else begins + lasts * QUARTER
    opening = Opening(None, None, CHINA, begins, ends)
    walk = [start + n * QUARTER for n in range(10)]
    shut = [at for at in walk if begins and begins <= at and (ends is None or at < ends)]

    assert [at for at in walk if opening.is_shut(at)] == shut
    assert [at for at in walk if not opening.is_open(at)] == shut
    assert opening.not_open_within(start, start + 10 * QUARTER) == next(iter(shut), None)


@given(opens_at=clock_times, closes_at=clock_times, begins=instants, start=instants)
def test_hours_and_a_closure_close_at_the_earlier(
    opens_at: time, closes_at: time, begins: datetime, start: datetime
) -> None:
    opening = Opening(opens_at, closes_at, CHINA, begins, begins + QUARTER)
    end = start + 8 * QUARTER
    each = closes_within(opens_at, closes_at, CHINA, start, end), opening.shut_within(start, end)

    found = opening.not_open_within(start, end)

    assert found == min((at for at in each if at), default=None)
    assert found is None or found.tzinfo == ZoneInfo(CHINA)


async def test_the_database_has_the_same_rule_of_closures(database_url: str) -> None:
    days = [datetime(2026, 11, 22, tzinfo=UTC) + n * QUARTER for n in range(6)]
    cases = [
        (begins, ends, start, end)
        for begins in (None, *days)
        for ends in (None, *days)
        for start in days
        for end in days
        if start <= end and (ends is None or (begins and begins < ends))
    ]
    connection = await asyncpg.connect(database_url)

    told = await connection.fetch(
        "SELECT is_shut(f, u, s, e) FROM unnest("
        "$1::timestamptz[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[])"
        " AS given (f, u, s, e)",
        *map(list, zip(*cases, strict=True)),
    )

    await connection.close()
    found = [
        Opening(None, None, CHINA, begins, ends).shut_within(start, end) is not None
        for begins, ends, start, end in cases
    ]
    assert [shut for (shut,) in told] == found
    assert {*found} == {True, False}


@pytest.fixture
async def four_lots(built: Builder) -> None:
    hours = {"by-day": DAY, "late": (time(6, 30), time(23, 30)), "by-night": NIGHT}
    for place, (lot_id, (opens_at, closes_at)) in enumerate(hours.items()):
        await built.lot(lot_id, 120.38 + place / 1000, opens_at=opens_at, closes_at=closes_at)
    await built.lot("round-the-clock", 120.384)


AT_TEN = {"at": "2026-12-10T22:00:00+08:00", "duration_min": 90}


async def test_answers_say_when_a_lot_closes(api: httpx.AsyncClient, four_lots: None) -> None:
    del four_lots
    closing = "2026-12-10T23:00:00+08:00"

    page = await get(api, "/v1/lots", **AT_TEN)
    features = await get(api, "/v1/lots", **AT_TEN, f="geojson")
    one = await get(api, "/v1/lots/by-day", **AT_TEN)
    shorter = await get(api, "/v1/lots/by-day", at=AT_TEN["at"], duration_min=60)

    LotPage.model_validate(page)
    LotCollection.model_validate(features)
    LotAnswer.model_validate(one)
    assert {lot["lot_id"]: lot.get("closes_at") for lot in page["items"]} == {
        "by-day": closing,
        "by-night": None,
        "late": None,
        "round-the-clock": None,
    }
    told = {each["id"]: each["properties"] for each in features["features"]}
    assert told["by-day"]["closes_at"] == one["closes_at"] == closing
    assert one["opening_hours"] == {"opens_at": "06:30", "closes_at": "23:00"}
    assert "closes_at" not in shorter
    stay = {"from": "2026-12-10T14:00:00+00:00", "duration_min": 90, "vehicle": None}
    assert page["stay"] == features["stay"] == one["stay"] == stay


async def test_what_is_closed_at_the_start_does_not_close(
    api: httpx.AsyncClient, built: Builder
) -> None:
    """Also in an hour that comes twice, whose times Python holds unequal to those of UTC."""
    await built.lot("by-day", opens_at=time(8, 30), closes_at=time(22, 30))
    await built.lot("twice", opens_at=time(6), closes_at=time(0, 30))
    await built.connection.execute(
        "UPDATE lot SET timezone = 'America/New_York' WHERE lot_id = 'twice'"
    )
    for lot_id, at in (
        ("by-day", "2026-11-27T08:00:00+08:00"),
        ("by-day", "2026-11-27T22:30:00+08:00"),
        ("twice", "2026-11-01T01:15:00-04:00"),
        ("twice", "2026-11-01T01:15:00-05:00"),
    ):
        asked = {"at": at, "duration_min": 60}
        told = await get(api, f"/v1/lots/{lot_id}", **asked)
        left = await get(api, "/v1/lots", **asked, open_throughout="true")

        assert "closes_at" not in told, (lot_id, at)
        assert lot_id not in [lot["lot_id"] for lot in left["items"]]


async def test_lots_that_close_are_left_out_before_the_page_is_cut(
    api: httpx.AsyncClient, four_lots: None
) -> None:
    del four_lots
    asked = {**AT_TEN, "open_throughout": "true", "limit": 1}

    seen, path = [], str(httpx.URL("/v1/lots", params=asked))
    while path:
        page = (await api.get(path)).json()
        seen += [(lot["lot_id"], page["stay"]["from"]) for lot in page["items"]]
        path = page["next"] or ""

    start = "2026-12-10T14:00:00+00:00"
    assert seen == [(lot_id, start) for lot_id in ("by-night", "late", "round-the-clock")]


async def test_the_nearest_lots_that_stay_open(api: httpx.AsyncClient, built: Builder) -> None:
    """Relative to now: `/v1/nearest` leaves out what is closed as it is asked."""
    now = datetime.now(ZoneInfo(CHINA)).replace(second=0, microsecond=0)

    def clock(hours: float) -> time:
        return (now + timedelta(hours=hours)).time()

    for place, until in enumerate((3, 5, 7)):
        hours: Any = {"opens_at": clock(-2), "closes_at": clock(until)}
        await built.lot(f"until-{until}", 120.38 + place / 1000, **hours)
        await built.report(f"until-{until}", 4)
    asked: dict[str, Any] = {**HERE, "at": now.isoformat(), "duration_min": 300}

    told = await get(api, "/v1/nearest", **asked)
    left = await get(api, "/v1/nearest", **asked, open_throughout=True, limit=1)

    NearestLots.model_validate(told)
    at = (now + timedelta(hours=3)).isoformat()
    assert {lot["lot_id"]: lot.get("closes_at") for lot in told["lots"]} == {
        "until-3": at,
        "until-5": None,
        "until-7": None,
    }
    assert [lot["lot_id"] for lot in left["lots"]] == ["until-5"]
    assert datetime.fromisoformat(left["stay"]["from"]) == now


def test_the_stay_is_the_current_whole_minute_by_default() -> None:
    now = datetime(2026, 12, 10, 10, 0, 59, 999_999, tzinfo=UTC)

    stay = NearestLotsAsk(lon=1, lat=2).stay(now)

    assert stay.start == datetime(2026, 12, 10, 10, 0, tzinfo=UTC)
    assert stay.end == datetime(2026, 12, 10, 11, 0, tzinfo=UTC)
    assert stay.vehicle is None
