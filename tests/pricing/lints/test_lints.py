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


def test_a_tier_in_which_no_unit_starts_never_applies() -> None:
    tiers = [
        {"from_s": 0, "price_minor": 100},
        {"from_s": 1800, "price_minor": 150},
        {"from_s": 3600, "price_minor": 200},
    ]
    # Units of an hour start at 0 h, 1 h, ... of the clock, never from 0.5 h to 1 h.
    found = linted(unit_period(tiers=tiers))["tier_never_applies"]
    assert (found.path, found.money_minor) == ("periods[0].tiers[1].from_s", 50)
    assert linted(unit_period(tiers=tiers), boundary="split") == {}


def test_a_tier_beyond_what_an_interruption_leaves_never_applies() -> None:
    tiers = [{"from_s": 0, "price_minor": 100}, {"from_s": 18_000, "price_minor": 170}]
    long = free_period("long", "10:00", "16:00")
    day, night = (
        unit_period("day", "08:00", "18:00", tiers=tiers),
        free_period("n", "18:00", "08:00"),
    )
    # 2 h and 2 h are left; a unit into the interruption adds less than one: the last starts at 4 h.
    found = linted(long, day, night)["tier_never_applies"]
    assert (found.path, found.money_minor) == ("periods[1].tiers[1].from_s", 70)
    reached = [tiers[0], tiers[1] | {"from_s": 14_400}]
    assert "tier_never_applies" not in linted(long, day | {"tiers": reached}, night)


def test_a_tier_beyond_the_cap_changes_no_fee() -> None:
    tiers = [{"from_s": 0, "price_minor": 100}, {"from_s": 7200, "price_minor": 150}]
    assert linted(unit_period(tiers=tiers, cap_minor=200))["tier_beyond_cap"].severity == "info"
    assert "tier_beyond_cap" not in linted(unit_period(tiers=tiers, cap_minor=201))
    vehicles = {"small": {}, "van": {"cap_multiplier": 2}}
    found = linted(unit_period(tiers=tiers, cap_minor=200), vehicles=vehicles)
    assert "tier_beyond_cap" not in found


def test_a_cap_beside_a_lower_one_of_the_same_window() -> None:
    caps = [{"window": "session", "amount_minor": amount} for amount in (500, 900, 500)]
    caps.append({"window": "calendar_day", "amount_minor": 900})
    found = lint(tariff(unit_period(), caps=caps), year=2026)
    assert [(each.code, each.path, each.money_minor) for each in found] == [
        ("cap_beside_lower", "caps[1].amount_minor", 400),
        ("cap_beside_lower", "caps[2].amount_minor", 0),
    ]


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


def test_a_dear_day_of_a_season_of_two_days_is_found() -> None:
    fair = season("fair", "08-17", "08-18", 100)
    found = lint(
        tariff(fair, unit_period("else", price=1)),
        year=2026,
        ceilings=[Ceiling("Notice 5", day_minor=60)],
    )
    # 24 x 100 against 60.
    assert [(each.code, each.money_minor) for each in found if each.severity == "error"] == [
        ("ceiling_exceeded", 2340)
    ]


def test_a_days_limit_allows_a_window_of_each_day_its_cap() -> None:
    day, night = (
        unit_period("day", "07:30", "18:30", price=700, cap_minor=6000),
        free_period("night", "18:30", "07:30"),
    )
    limit = Ceiling("Notice 5", day_minor=6000)
    assert lint(tariff(day, night), year=2026, ceilings=[limit]) == []
    below = lint(tariff(day, night), year=2026, ceilings=[Ceiling("Notice 5", day_minor=5999)])
    assert [each.money_minor for each in below] == [1]


def season(name: str, first: str, last: str, price: int) -> Document:
    return unit_period(name, price=price, season={"from": first, "to": last})


def test_off_street_dearer_than_on_street() -> None:
    street = tariff(unit_period(price=200))
    found = lint(tariff(unit_period(price=300)), year=2026, on_street=street)
    # Most of all over 24 hours: 24 x (300 - 200).
    assert [(each.code, each.money_minor) for each in found] == [("off_street_dearer", 2400)]
    assert lint(street, year=2026, on_street=tariff(unit_period(price=200))) == []


def test_off_street_is_compared_by_every_class_that_both_price() -> None:
    plain, dear = tariff(unit_period(price=200)), unit_period(price=300)
    classed = tariff(unit_period(price=200), vehicles={"small": {}, "van": {"multiplier": 0.5}})
    # Without classes the van pays as all do: 24 x (300 - 100).
    found = lint(tariff(dear), year=2026, on_street=classed)
    assert [each.money_minor for each in found] == [4800]
    found = lint(tariff(dear, vehicles={"truck": {}}), year=2026, on_street=plain)
    assert [each.money_minor for each in found] == [2400]
    assert lint(tariff(dear, vehicles={"truck": {}}), year=2026, on_street=classed) == []
    assert lint(tariff(dear, currency="EUR"), year=2026, on_street=plain) == []


def test_off_street_dearer_for_a_week_of_the_year_is_found() -> None:
    fair = season("fair", "08-17", "08-18", 300)
    found = lint(
        tariff(fair, unit_period("else", price=100)),
        year=2026,
        on_street=tariff(unit_period(price=200)),
    )
    assert {each.code for each in found} == {"overlap", "off_street_dearer"}


def test_night_dearer_than_day() -> None:
    day, night = unit_period("day", "08:00", "20:00"), flat_period("night", "20:00", "08:00", 800)
    # Most for a stay within one unit: 800 - 100.
    assert linted(day, night)["night_dearer_than_day"].money_minor == 700


def test_the_small_hours_are_night_too() -> None:
    small = flat_period("small", "02:00", "05:00", 900)
    # From 01:00: a unit and the flat against two units.
    assert linted(small, unit_period("else"))["night_dearer_than_day"].money_minor == 800


def test_long_gaps_are_told_by_the_day() -> None:
    workday = unit_period("workday", "08:00", "20:00", days=["workday"])
    days = Calendar(holidays=("2026-01-01", "2026-05-01", "2026-05-02", "2026-10-01", "2026-10-02",
                              "2026-10-03"))  # fmt: skip
    found = lint(tariff(workday), year=2026, calendar=days)
    told = {each.en.split(",")[0]: each.code for each in found}
    # 104 days at weekends, less 2 holidays. 261 from Monday to Friday, less 4 holidays, make 257
    # evenings: 50 Fridays, 30 April and 30 September before a day off, 205 before a workday. After
    # days off come 52 Mondays and 2 January.
    assert told == {
        "No period covers 00:00 to 24:00 on 6 days": "holiday_without_period",
        "No period covers 00:00 to 24:00 on 102 days": "gap",
        "No period covers 20:00 to 08:00 on 205 days": "gap",
        "No period covers 20:00 to 24:00 on 52 days": "gap",
        "No period covers 00:00 to 08:00 on 53 days": "gap",
    }


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
