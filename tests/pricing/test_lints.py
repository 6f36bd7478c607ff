"""What is valid, yet probably not meant."""

from datetime import date
from typing import Any

from pricing import Calendar, Ceiling, Lint, lint
from tests.pricing.builders import Document, flat_period, free_period, tariff, unit_period

ALL_DAY = unit_period(price=200)


def linted(*periods: Document, **more: Any) -> dict[str, Lint]:
    return {each.code: each for each in lint(tariff(*periods, **more), year=2026)}


def test_a_plain_tariff_has_none() -> None:
    assert (
        linted(unit_period("day", "08:00", "20:00"), free_period("night", "20:00", "08:00")) == {}
    )


def test_a_gap_with_what_the_period_before_would_have_charged() -> None:
    found = linted(
        unit_period("day", "08:00", "20:00", price=200), free_period("n", "22:00", "08:00")
    )
    gap = found["gap"]
    # 20:00 to 22:00 by the day's price: 2 x 200.
    assert (gap.path, gap.money_minor) == ("periods", 400)
    assert "20:00 to 22:00 on 365 days" in gap.en


def test_an_overlap_with_what_the_order_decides() -> None:
    lunch, day = free_period("lunch", "12:00", "13:00"), unit_period("day", "08:00", "18:00")
    found = linted(lunch, day, free_period("night", "18:00", "08:00"))
    assert (found["overlap"].path, found["overlap"].money_minor) == ("periods[1]", 100)
    assert found["overlap"].severity == "info"


def test_a_period_that_never_governs() -> None:
    found = linted(ALL_DAY, flat_period("night", "20:00", "08:00", 100))
    assert found["period_never_governs"].path == "periods[1]"


def test_a_tier_beyond_the_window_never_applies_by_the_windows_clock() -> None:
    tiers = [{"from_s": 0, "price_minor": 100}, {"from_s": 43_200, "price_minor": 170}]
    day, night = (
        unit_period("day", "08:00", "20:00", tiers=tiers),
        free_period("n", "20:00", "08:00"),
    )
    found = linted(day, night)["tier_never_applies"]
    assert (found.path, found.money_minor) == ("periods[0].tiers[1].from_s", 70)
    assert linted(day, night, tier_clock="session") == {}


def test_a_cap_below_one_unit_of_any_class() -> None:
    found = linted(unit_period(price=300, cap_minor=250))["cap_below_unit"]
    assert (found.path, found.money_minor) == ("periods[0].cap_minor", 50)
    vehicles = {"small": {}, "van": {"multiplier": 2}}
    caps = [{"window": "session", "amount_minor": 500}]
    found = linted(unit_period(price=300), caps=caps, vehicles=vehicles)["cap_below_unit"]
    assert (found.path, found.money_minor) == ("caps[0].amount_minor", 100)


def test_ceilings_and_floors_of_the_price_control() -> None:
    held = tariff(unit_period(price=300, unit_s=1800))
    control = Ceiling("Notice 5", hour_minor=500, day_minor=10_000)
    # 2 x 300 an hour against 500; 48 x 300 a day against 10000.
    found = lint(held, year=2026, ceilings=[control])
    assert [(each.path, each.money_minor, each.severity, each.clause) for each in found] == [
        ("periods[0].tiers[0].price_minor", 100, "error", "Notice 5"),
        ("caps", 4400, "error", "Notice 5"),
    ]
    fair = Ceiling("Notice 5", hour_minor=600, day_minor=14_400, floor_hour_minor=600)
    assert lint(held, year=2026, ceilings=[fair]) == []
    low = lint(held, year=2026, ceilings=[Ceiling("Notice 5", floor_hour_minor=650)])
    assert [(each.code, each.money_minor) for each in low] == [("floor_undercut", 50)]


def test_off_street_dearer_than_on_street() -> None:
    street = tariff(unit_period(price=200))
    found = lint(tariff(unit_period(price=300)), year=2026, on_street=street)
    # Most of all over 24 hours: 24 x (300 - 200).
    assert [(each.code, each.money_minor) for each in found] == [("off_street_dearer", 2400)]
    assert lint(street, year=2026, on_street=tariff(unit_period(price=200))) == []


def test_night_dearer_than_day() -> None:
    day, night = unit_period("day", "08:00", "20:00"), flat_period("night", "20:00", "08:00", 800)
    # Most for a stay within one unit: 800 - 100.
    assert linted(day, night)["night_dearer_than_day"].money_minor == 700


def test_holidays_that_the_calendar_or_the_periods_leave_out() -> None:
    workday = unit_period("workday", price=300, days=["workday"])
    weekend = unit_period("weekend", price=100, days=["weekend"])
    days = Calendar(holidays=("2026-01-01", "2026-05-01", "2026-05-02", "2026-10-01", "2026-10-02",
                              "2026-10-03"))  # fmt: skip
    held = tariff(workday, weekend)
    codes = {each.code for each in lint(held, year=2026, calendar=days)}
    assert codes == {"holiday_without_period"}
    found = lint(
        tariff(workday, free_period("else", "00:00", "24:00")),
        year=2026,
        calendar=days,
        public_holidays=[date(2026, 2, 17)],
    )
    missing = [each for each in found if each.code == "holiday_not_in_calendar"]
    # Spring Festival on a Tuesday: a workday's 24 x 300 instead of nothing.
    assert [(each.money_minor, "2026-02-17" in each.en) for each in missing] == [(7200, True)]
