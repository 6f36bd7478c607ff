"""Cases by hand on seasons, year ends, leap days, clock changes, long stays and versions."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from pricing import Version
from tests.pricing.builders import fee, flat_period, priced, tariff, unit_period

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_a_window_past_midnight_keeps_the_date_on_which_it_started() -> None:
    # 2026-06-12 is a Friday: its night runs to Saturday 08:00 at 100; Saturday itself costs 200.
    friday = unit_period("fri", "20:00", "08:00", days=["fri"])
    held = tariff(friday, unit_period("sat", price=200, days=["sat"]))
    assert fee(held, "2026-06-13T03:00", "2026-06-13T04:00") == 100
    assert fee(held, "2026-06-13T08:00", "2026-06-13T09:00") == 200
    # On Sunday nothing governs.
    assert fee(held, "2026-06-14T03:00", "2026-06-14T04:00") == 0


def test_start_equal_to_end_is_a_day_from_that_time() -> None:
    held = tariff(unit_period("day", "06:00", "06:00", cap_minor=500))
    # 05:00 is of the window of the 9th; 06:00 starts another: 1 x 100 + 500.
    assert fee(held, "2026-06-10T05:00", "2026-06-11T06:00") == 600


def test_a_season_that_wraps_the_year_goes_by_the_date_of_the_start() -> None:
    winter = unit_period("winter", "20:00", "08:00", season={"from": "11-15", "to": "02-29"})
    other = unit_period("other", price=300)
    held = tariff(winter, other)
    # New Year's night is one window; the hour from 08:00 is the other period's.
    assert fee(held, "2026-12-31T23:00", "2027-01-01T09:00") == 9 * 100 + 300
    # 2027 has no 29 February: the window of 28 February is the last, and ends on 1 March at 08:00.
    assert fee(held, "2027-03-01T07:00", "2027-03-01T08:00") == 100
    assert fee(held, "2027-03-01T20:00", "2027-03-01T21:00") == 300
    # In 2028 the window of 29 February is in season.
    assert fee(held, "2028-02-29T20:00", "2028-02-29T21:00") == 100


def test_a_season_from_the_leap_day_starts_on_1_march_in_other_years() -> None:
    spring = unit_period("spring", season={"from": "02-29", "to": "05-31"})
    held = tariff(spring, unit_period("other", price=300))
    assert fee(held, "2027-02-28T23:00", "2027-03-01T01:00") == 300 + 100
    assert fee(held, "2028-02-28T23:00", "2028-02-29T01:00") == 300 + 100


def test_a_leap_day_is_a_day() -> None:
    held = tariff(unit_period(cap_minor=500))
    # 28 and 29 February and 1 March 2028, 500 each.
    assert fee(held, "2028-02-28T00:00", "2028-03-02T00:00") == 1500
    assert fee(held, "2027-02-28T00:00", "2027-03-02T00:00") == 1000


def test_stays_of_weeks() -> None:
    day = unit_period("day", "08:00", "18:00", price=200, unit_s=1800, cap_minor=1500)
    held = tariff(day, flat_period("night", "18:00", "08:00", 300))
    # 21 days from 08:00: 21 x (20 x 200 capped at 1500 + 300).
    assert fee(held, "2026-06-01T08:00", "2026-06-22T08:00") == 21 * 1800
    # 366 days, the longest stay.
    assert fee(held, "2026-06-01T08:00", "2027-06-02T08:00") == 366 * 1800


@pytest.mark.parametrize(
    ("zone", "entry", "leave", "hours"),
    [
        ("Europe/Berlin", "2026-03-29T00:00", "2026-03-29T06:00", 5),
        ("Europe/Berlin", "2026-10-25T00:00", "2026-10-25T06:00", 7),
        ("America/New_York", "2026-03-08T00:00", "2026-03-08T06:00", 5),
        ("America/New_York", "2026-11-01T00:00", "2026-11-01T06:00", 7),
        # The second pass of the repeated hour, said by its offset.
        ("America/New_York", "2026-11-01T01:30-05:00", "2026-11-01T02:30", 1),
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T02:30", 2),
    ],
)
def test_elapsed_hours_are_charged(zone: str, entry: str, leave: str, hours: int) -> None:
    assert fee(tariff(unit_period(), timezone=zone), entry, leave) == hours * 100


def test_windows_at_clock_changes() -> None:
    early = unit_period("early", "00:00", "02:30", price=100, unit_s=600)
    late = unit_period("late", "02:30", "24:00", price=200, unit_s=600)
    held = tariff(early, late, timezone="Europe/Berlin")
    # Spring: 02:30 is skipped; with the offset before (+1) it is 01:30 UTC = 03:30 local. From
    # 01:00 (00:00 UTC) early runs 90 min, then late to 04:00 (02:00 UTC): 9 x 100 + 3 x 200.
    assert fee(held, "2026-03-29T01:00", "2026-03-29T04:00") == 1500
    # Autumn: 02:30 comes at 00:30 and 01:30 UTC; the first counts. From 02:00+02 (00:00 UTC) early
    # runs 30 min, late to 03:00 (02:00 UTC) 90 min: 3 x 100 + 9 x 200.
    assert fee(held, "2026-10-25T02:00", "2026-10-25T03:00") == 2100


def test_a_window_inside_the_skipped_hour_does_not_exist() -> None:
    skipped = flat_period("skipped", "02:00", "03:00", 900)
    held = tariff(skipped, unit_period(), timezone="Europe/Berlin")
    # 02:00 is 01:00 UTC, and so is 03:00. 01:30 to 04:30 are two hours.
    assert fee(held, "2026-03-29T01:30", "2026-03-29T04:30") == 200
    # In autumn it lasts two hours. 01:30 to 02:30; the flat; 03:00 to 04:00.
    assert fee(held, "2026-10-25T01:30", "2026-10-25T04:00") == 100 + 900 + 100


def may_first() -> Version:
    later = tariff(unit_period(price=400, unit_s=1800), id="may", version_policy="at_entry")
    return Version(datetime(2026, 5, 1, tzinfo=SHANGHAI), later)


@pytest.mark.parametrize(("policy", "expected"), [("at_entry", 600), ("at_unit_start", 700)])
def test_the_contracts_change_of_version(policy: str, expected: int) -> None:
    held = tariff(unit_period(price=300, unit_s=1800), version_policy=policy)
    assert fee(held, "2026-04-30T23:30", "2026-05-01T00:30", versions=(may_first(),)) == expected


def test_only_prices_come_from_the_later_version() -> None:
    later = tariff(
        unit_period("day", "00:00", "24:00", price=900, unit_s=60, cap_minor=1),
        id="later",
        caps=[{"window": "session", "amount_minor": 1}],
    )
    night = flat_period("night", "20:00", "08:00", 800)
    day = unit_period("day", "08:00", "20:00", price=300)
    held = tariff(night, day, version_policy="at_unit_start")
    version = Version(datetime(2026, 6, 10, 18, 30, tzinfo=SHANGHAI), later)
    found = priced(held, "2026-06-10T17:00", "2026-06-10T21:00", versions=(version,))
    # 17:00, 18:00 at 300; 19:00 at 900, an hour by the entry's unit; the later one has no night.
    assert [line.amount_minor for line in found.lines] == [600, 900, 800]
    assert [line.priced_by for line in found.lines] == [None, "later", None]


def test_a_later_versions_tiers_go_by_the_same_clock() -> None:
    tiers = [{"from_s": 0, "price_minor": 10}, {"from_s": 10_800, "price_minor": 20}]
    later = tariff(unit_period(tiers=tiers), id="later")
    held = tariff(unit_period(price=300), version_policy="at_unit_start")
    version = Version(datetime(2026, 6, 10, 12, tzinfo=SHANGHAI), later)
    # 10:00, 11:00 at 300; 12:00 at 2 h: 10; 13:00, 14:00 at 3 h and 4 h: 20.
    assert fee(held, "2026-06-10T10:00", "2026-06-10T15:00", versions=(version,)) == 650
