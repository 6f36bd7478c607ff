"""Cases derived by hand from the clauses; the arithmetic stands beside each."""

import pytest

from pricing import Calendar
from tests.pricing.builders import Document, fee, flat_period, free_period, tariff, unit_period

DAY_NIGHT = (
    unit_period("day", "08:00", "20:00", price=500),
    unit_period("night", "20:00", "08:00", price=100, unit_s=7200),
)


def test_a_unit_over_a_boundary_is_whole_by_its_start_and_then_the_clock_goes_on() -> None:
    held = tariff(*DAY_NIGHT)
    # 19:30 day to 20:30; night 20:30 to 22:30: 500 + 100.
    assert fee(held, "2026-06-10T19:30", "2026-06-10T22:30") == 600
    # One second more starts another night unit.
    assert fee(held, "2026-06-10T19:30", "2026-06-10T22:30:01") == 700


def test_split_cuts_the_unit_and_starts_another() -> None:
    held = tariff(*DAY_NIGHT, boundary="split")
    # 19:30 cut at 20:00 but whole; night from 20:00 to 22:00, another to 22:30: 500 + 2 x 100.
    assert fee(held, "2026-06-10T19:30", "2026-06-10T22:30") == 700


def test_split_with_down_drops_the_cut_piece_and_the_charging_goes_on() -> None:
    day = unit_period("day", "08:00", "20:00", price=500, rounding="down")
    night = unit_period("night", "20:00", "08:00", price=100, rounding="down")
    # 18:30 whole, 19:30 cut at 20:00 and dropped, 20:00 whole, 21:00 partial: 500 + 100.
    held = tariff(day, night, boundary="split")
    assert fee(held, "2026-06-10T18:30", "2026-06-10T21:59") == 600


def test_a_cut_piece_counts_its_actual_seconds_on_the_tier_clock() -> None:
    tiers = [{"from_s": 0, "price_minor": 100}, {"from_s": 3600, "price_minor": 300}]
    morning = unit_period("a", "08:00", "12:00", tiers=tiers)
    evening = unit_period("b", "12:00", "20:00", tiers=tiers)
    held = tariff(morning, evening, boundary="split", tier_clock="session")
    # 11:30 cut after 1800 s (100); 12:00 at 1800 s (100) to 13:00; 13:00 at 5400 s (300).
    assert fee(held, "2026-06-10T11:30", "2026-06-10T13:10") == 500
    # Uncut: 11:30 (100) to 12:30; then the clock reads 3600 s: 300 to 13:30.
    whole = tariff(morning, evening, tier_clock="session")
    assert fee(whole, "2026-06-10T11:30", "2026-06-10T13:10") == 400


def test_dropped_pieces_count_nothing_on_the_tier_clock() -> None:
    tiers = [{"from_s": 0, "price_minor": 100}, {"from_s": 1800, "price_minor": 300}]
    early = unit_period("a", "08:00", "12:00", tiers=tiers, rounding="down")
    late = unit_period("b", "12:00", "20:00", tiers=tiers, rounding="down")
    held = tariff(early, late, boundary="split", tier_clock="session")
    # 11:30 dropped at 12:00: the clock still reads 0: 12:00 costs 100.
    assert fee(held, "2026-06-10T11:30", "2026-06-10T13:00") == 100


def test_a_window_that_another_interrupts_keeps_its_clock_and_its_cap() -> None:
    tiers = [{"from_s": 0, "price_minor": 200}, {"from_s": 7200, "price_minor": 300}]
    lunch = flat_period("lunch", "12:00", "13:00", 50)
    day = unit_period("day", "08:00", "18:00", tiers=tiers, cap_minor=900)
    held = tariff(lunch, day)
    # 10-12: 2 x 200; lunch 50; 13-15 at 2 h and 3 h: 2 x 300: day 1000, capped at 900.
    assert fee(held, "2026-06-10T10:00", "2026-06-10T15:00") == 950


def test_down_ends_the_charging_even_before_a_flat() -> None:
    long = unit_period("day", "08:00", "19:00", price=300, unit_s=7200, rounding="down")
    held = tariff(long, flat_period("night", "19:00", "08:00", 800))
    # 18:00 runs to 20:00, after exit: dropped, and the charging ends.
    assert fee(held, "2026-06-10T18:00", "2026-06-10T19:30") == 0
    # Until 20:00 it is whole; the clock stands at exit, and no flat is entered.
    assert fee(held, "2026-06-10T18:00", "2026-06-10T20:00") == 300
    assert fee(held, "2026-06-10T18:00", "2026-06-10T20:00:01") == 1100


def test_a_flat_that_a_unit_runs_over_wholly_is_never_entered() -> None:
    noon = flat_period("noon", "12:00", "12:30", 700)
    held = tariff(noon, unit_period("day", "00:00", "24:00", price=100))
    # 11:45 runs to 12:45, over the whole of noon: 100 + 12:45 (100).
    assert fee(held, "2026-06-10T11:45", "2026-06-10T13:00") == 200
    # 11:20 runs to 12:20: noon is entered; from 12:30 a unit.
    assert fee(held, "2026-06-10T11:20", "2026-06-10T13:00") == 900


def test_a_flat_interrupted_is_charged_once() -> None:
    night = flat_period("night", "20:00", "08:00", 800)
    held = tariff(free_period("midnight", "00:00", "01:00"), night)
    # One window from 20:00, interrupted by the free hour; the next evening's is another.
    assert fee(held, "2026-06-10T21:00", "2026-06-11T07:00") == 800
    assert fee(held, "2026-06-10T21:00", "2026-06-11T20:00:01") == 1600


@pytest.mark.parametrize(
    ("leave", "expected"),
    [
        ("11:00", 0),  # the last hour starts at entry
        ("11:00:01", 100),  # one second before the last hour
        ("12:00", 100),  # 11:00 is in the last hour
        ("12:00:01", 200),  # 11:00 is not
    ],
)
def test_tail_starts_no_unit_in_the_last_seconds(leave: str, expected: int) -> None:
    held = tariff(unit_period(), grace={"mode": "tail", "seconds": 3600})
    assert fee(held, "2026-06-10T10:00", f"2026-06-10T{leave}") == expected


def test_flat_charges_do_not_mind_the_tail() -> None:
    night = flat_period("night", "20:00", "08:00", 800)
    held = tariff(
        unit_period("day", "08:00", "20:00"), night, grace={"mode": "tail", "seconds": 3600}
    )
    # The tail runs from 19:30; no unit, but the flat at 20:00.
    assert fee(held, "2026-06-10T19:45", "2026-06-10T20:30") == 800


def test_threshold_by_chargeable_seconds_is_inclusive_and_before_deductions() -> None:
    held = tariff(
        unit_period("day", "08:00", "20:00"),
        free_period("night", "20:00", "08:00"),
        grace={"mode": "threshold", "seconds": 1800, "basis": "chargeable"},
        entitlements=[{"id": "nev", "deduct_s": 3600}],
    )
    # 07:00 to 08:30: 1800 chargeable seconds of a stay of 5400.
    assert fee(held, "2026-06-10T07:00", "2026-06-10T08:30") == 0
    assert fee(held, "2026-06-10T07:00", "2026-06-10T08:30:01") == 100
    # Above the threshold; then an hour is deducted from 08:00 and one unit is left from 09:00.
    assert fee(held, "2026-06-10T07:00", "2026-06-10T09:10", "nev") == 100
    assert fee(held, "2026-06-10T07:00", "2026-06-10T08:50", "nev") == 0


def test_deductions_add_up_and_take_chargeable_time_only() -> None:
    held = tariff(
        unit_period("day", "08:00", "18:00"),
        free_period("night", "18:00", "08:00"),
        grace={"mode": "deduct", "seconds": 1800},
        entitlements=[{"id": "a", "deduct_s": 3600}, {"id": "b", "deduct_s": 1800}],
    )
    # 17:00 to 18:00, then 08:00 to 09:00 are the 7200 s deducted; units from 09:00.
    assert fee(held, "2026-06-10T17:00", "2026-06-11T09:00", "a", "b") == 0
    assert fee(held, "2026-06-10T17:00", "2026-06-11T10:30", "a", "b") == 200
    # Grace alone: units from 17:30 and 08:00 to 10:30: 17:30-18:30, 08:00, 09:00, 10:00.
    assert fee(held, "2026-06-10T17:00", "2026-06-11T10:30") == 400


def test_deducted_time_pays_for_a_flat_only_when_all_of_it_is_deducted() -> None:
    night = flat_period("night", "20:00", "22:00", 800)
    day = unit_period("day", "18:00", "20:00")
    late = unit_period("late", "22:00", "24:00")
    held = tariff(day, night, late, entitlements=[{"id": "a", "deduct_s": 7200}])
    # 20:00 to 22:00 is deducted: the clock starts at 22:00 and never enters the flat.
    assert fee(held, "2026-06-10T20:00", "2026-06-10T22:30", "a") == 100
    # 19:59 to 21:59 is deducted: the clock starts inside the flat.
    assert fee(held, "2026-06-10T19:59", "2026-06-10T22:30", "a") == 900


def test_an_entitlement_that_does_not_combine_switches_any_grace_off() -> None:
    held = tariff(
        unit_period(),
        grace={"mode": "threshold", "seconds": 3600, "basis": "stay"},
        entitlements=[{"id": "half", "percent_off": 50, "combinable_with_grace": False}],
    )
    assert fee(held, "2026-06-10T10:00", "2026-06-10T10:30") == 0
    assert fee(held, "2026-06-10T10:00", "2026-06-10T10:30", "half") == 50


def test_grace_for_the_first_stay_of_the_day_only() -> None:
    grace = {"mode": "threshold", "seconds": 900, "basis": "stay", "first_stay_of_day": True}
    held = tariff(unit_period(), grace=grace)
    assert fee(held, "2026-06-10T10:00", "2026-06-10T10:15", "first_stay") == 0
    assert fee(held, "2026-06-10T10:00", "2026-06-10T10:15") == 100


def caps(*listed: tuple[str, int]) -> list[Document]:
    return [{"window": window, "amount_minor": amount} for window, amount in listed]


def test_caps_apply_in_their_order_each_on_the_last_result() -> None:
    # 22:00 to 02:00, window of the 10th: 4 units of 100, all of the day of the 10th.
    night = unit_period("night", "20:00", "08:00", cap_minor=350)
    day = unit_period("day", "08:00", "20:00")
    held = tariff(night, day, caps=caps(("calendar_day", 300), ("session", 450)))
    assert fee(held, "2026-06-10T22:00", "2026-06-11T02:00") == 300
    # Then 08:00 to 12:00 of the 11th: 300 by its day; together 600, by the session 450.
    assert fee(held, "2026-06-10T22:00", "2026-06-11T12:00") == 450


@pytest.mark.parametrize(("rolling_first", "expected"), [(True, 2000), (False, 1500)])
def test_the_order_of_caps_matters(rolling_first: bool, expected: int) -> None:  # noqa: FBT001
    # 38 hours from 10:00 on the 10th: 14 on that day, 24 on the 11th; blocks of 24 and 14.
    # Rolling first leaves 14 + 1 and 14 hours; then the days hold 10 of 14 and 10 of 1 + 14.
    # The day first leaves the first 10 of each, all in the first block: 20, of which 15 stay.
    listed = [("rolling_24h", 1500), ("calendar_day", 1000)]
    held = tariff(unit_period(), caps=caps(*(listed if rolling_first else listed[::-1])))
    assert fee(held, "2026-06-10T10:00", "2026-06-12T00:00") == expected


def test_rolling_blocks_run_from_the_first_charge_not_from_entry() -> None:
    free = free_period("morning", "06:00", "08:00")
    held = tariff(free, unit_period(), caps=caps(("rolling_24h", 500)))
    # Charging starts at 08:00; 22 h until 06:00 make 500 in the first block to 08:00 of the 11th;
    # 08:00 to 10:00 are 2 x 100 in the second.
    assert fee(held, "2026-06-10T06:00", "2026-06-11T10:00") == 700


def test_cap_multiplier_scales_every_cap() -> None:
    held = tariff(
        unit_period(cap_minor=300),
        caps=caps(("session", 401)),
        vehicles={"small": {}, "van": {"cap_multiplier": 1.5}},
    )
    # Window: 450 a day, on 23 h before and 10 h after midnight: 900; session 401 x 1.5 = 601.5.
    assert fee(held, "2026-06-10T01:00", "2026-06-11T10:00", vehicle="van") == 602
    assert fee(held, "2026-06-10T01:00", "2026-06-11T10:00", vehicle="small") == 401


def test_vehicles_multiply_units_and_flats_and_add_to_units_only() -> None:
    night = flat_period("night", "20:00", "08:00", 801)
    truck = {"multiplier": 1.5, "add_minor_per_unit": 25}
    held = tariff(unit_period("day", "08:00", "20:00"), night, vehicles={"truck": truck})
    # 100 x 1.5 + 25 = 175; the flat 801 x 1.5 = 1201.5: 1376.5, halves up.
    assert fee(held, "2026-06-10T19:00", "2026-06-10T21:00", vehicle="truck") == 1377


def test_percentages_follow_one_after_another_with_one_rounding() -> None:
    offs = [{"id": "a", "percent_off": 50}, {"id": "b", "percent_off": "33.3"}]
    held = tariff(unit_period(price=101), entitlements=offs)
    # 50 % of 1.01 are 0.505; of these, not of 0.51, 66.7 % are 0.336835.
    assert fee(held, "2026-06-10T10:00", "2026-06-10T11:00", "a", "b") == 34
    assert fee(held, "2026-06-10T10:00", "2026-06-10T11:00", "a") == 51


def test_a_holiday_wins_over_a_makeup_workday_and_weekdays_look_at_neither() -> None:
    periods = [
        unit_period("workday", price=100, days=["workday"]),
        unit_period("weekend", price=200, days=["weekend"]),
        unit_period("holiday", price=300, days=["holiday"]),
    ]
    # 2026-10-01 is a Thursday, 2026-10-10 a Saturday worked in lieu, 2026-10-11 a Sunday.
    days = Calendar(holidays=("2026-10-01",), makeup_workdays=("2026-10-10", "2026-10-01"))
    held = tariff(*periods)
    prices = {
        day: fee(held, f"2026-10-{day}T10:00", f"2026-10-{day}T11:00", calendar=days)
        for day in ("01", "02", "10", "11")
    }
    assert prices == {"01": 300, "02": 100, "10": 100, "11": 200}
    thursday = tariff(unit_period("thu", price=700, days=["thu"]), *periods)
    assert fee(thursday, "2026-10-01T10:00", "2026-10-01T11:00", calendar=days) == 700


def test_the_tariffs_own_calendar_stands_in_for_the_citys() -> None:
    held = tariff(
        unit_period("holiday", price=300, days=["holiday"]),
        unit_period("else", price=100),
        calendar={"holidays": ["2026-06-10"]},
    )
    city = Calendar(holidays=("2026-06-11",))
    assert fee(held, "2026-06-10T10:00", "2026-06-10T11:00", calendar=city) == 300
    assert fee(held, "2026-06-11T10:00", "2026-06-11T11:00", calendar=city) == 100
