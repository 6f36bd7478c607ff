"""The calendar: kinds of days, holidays, terms, seasons and weather."""

import numpy as np
import pytest

from simulators.demand.calendar import OUT_OF_TERM, Calendar
from simulators.demand.parameters import load
from simulators.demand.rates import Rates, demand_use
from tests.simulators.demand.cities import OFFSET_S, STILL, at, city, day, lot, parameters

CALENDAR = Calendar(1)


@pytest.mark.parametrize(
    ("date", "kind"),
    [
        ("2026-11-23", "workday"),
        ("2026-11-21", "saturday"),
        ("2026-11-22", "sunday"),
        ("2026-10-01", "sunday"),  # a Thursday of the National Day
        ("2026-02-28", "workday"),  # a Saturday that makes up for the Spring Festival
        ("2030-05-01", "sunday"),  # a year without a notice: what is fixed
    ],
)
def test_kinds_of_days(date: str, kind: str) -> None:
    assert CALENDAR.kind(day(f"{date}T00:00")) == kind


def test_seasons_and_holidays() -> None:
    august, january = day("2026-08-12T00:00"), day("2026-01-14T00:00")
    dry = next(Calendar(seed) for seed in range(99) if _dry(Calendar(seed), august, january))
    assert dry.factor("scenic", august) > 2 * dry.factor("scenic", january)
    assert dry.factor("hotel", august) > 1.3 * dry.factor("hotel", january)
    assert dry.factor("office", august) == dry.factor("office", january) == 1
    golden, plain = day("2026-10-02T00:00"), day("2026-10-18T00:00")
    assert dry.is_holiday(golden)
    assert dry.factor("office", golden) < 0.6
    assert dry.factor("scenic", golden) > 1.2 * dry.factor("scenic", plain)


def _dry(calendar: Calendar, *days: int) -> bool:
    extra = [day("2026-10-02T00:00"), day("2026-10-18T00:00")]
    return not any(calendar.rains(each) for each in (*days, *extra))


def test_schools_are_empty_in_their_holidays() -> None:
    term, summer = day("2026-06-10T00:00"), day("2026-07-22T00:00")
    assert CALENDAR.factor("school", term) == 1
    assert CALENDAR.factor("school", summer) == OUT_OF_TERM
    assert CALENDAR.factor("mall", summer) in (1, pytest.approx(1.06))


def test_parents_come_to_schools_twice_and_patients_to_hospitals_in_the_morning() -> None:
    rates = Rates(
        [*city("school", 40), *(lot(f"h-{n}", 200, "hospital") for n in range(40))],
        load(),
        CALENDAR,
        seed=1,
        utc_offset_s=OFFSET_S,
    )
    hours = [rates.arrivals(at(f"2026-06-10T{hour:02}:15")) for hour in range(24)]
    school = [hour[:40].sum() for hour in hours]
    hospital = [hour[40:].sum() for hour in hours]
    assert school[7] > 3 * school[11]
    assert school[16] > 2 * school[14]
    assert max(hospital[7:11]) == max(hospital)
    assert max(hospital) > 1.5 * hospital[15]


def test_rain_is_of_the_day_and_of_the_season() -> None:
    days = range(day("2020-01-01T00:00"), day("2030-01-01T00:00"))
    wet = [CALENDAR.rains(each) for each in days]
    assert wet == [Calendar(1).rains(each) for each in days]
    assert wet != [Calendar(2).rains(each) for each in days]
    assert sum(wet) / 10 == pytest.approx(80, abs=12)
    august = [
        CALENDAR.rains(day(f"{year}-08-01T00:00") + n)
        for year in range(2000, 2040)
        for n in range(31)
    ]
    january = [
        CALENDAR.rains(day(f"{year}-01-01T00:00") + n)
        for year in range(2000, 2040)
        for n in range(31)
    ]
    assert sum(august) > 2 * sum(january)
    pairs = np.array([august[:-1], august[1:]])
    assert np.corrcoef(pairs)[0, 1] > 0.1
    rainy, fair = august.index(True), august.index(False)
    first = day("2000-08-01T00:00")
    assert CALENDAR.factor("scenic", first + rainy) < 0.8 * CALENDAR.factor("scenic", first + fair)


def test_lots_without_land_use_go_by_their_type() -> None:
    known = list(load().land_uses)
    assert demand_use(lot("a", 9, "hotel"), known) == "hotel"
    assert demand_use(lot("a", 9, ""), known) == "mall"


def test_each_lot_has_weekdays_of_its_own() -> None:
    lots = city("office", 400)
    own = {**STILL, "weekdays": {"sd": 0.25, "from": "assumed: some"}}
    rates = Rates(lots, parameters("office", **own), CALENDAR, seed=1, utc_offset_s=OFFSET_S)
    days = [f"2026-10-{date:02}T10:00" for date in (13, 20, 15)]  # two Tuesdays, a Thursday
    tuesday, next_tuesday, thursday = (rates.arrivals(at(text)) for text in days)
    assert tuesday == pytest.approx(next_tuesday)
    spread = np.log(thursday / tuesday).std()
    assert 0.2 < spread < 0.5
    assert tuesday.sum() == pytest.approx(thursday.sum(), rel=0.1)
