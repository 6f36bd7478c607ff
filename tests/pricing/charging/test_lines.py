"""What a quote's lines say, and what the pricer refuses."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from pricing import (
    ExitBeforeEntryError,
    NaiveTimeError,
    PricingError,
    Stay,
    StayTooLongError,
    TimeOutOfRangeError,
    UnknownEntitlementError,
    UnknownVehicleError,
    fee_table,
    quote,
)
from tests.pricing.builders import fee, flat_period, free_period, priced, tariff, unit_period

NOON = datetime(2026, 6, 10, 4, tzinfo=UTC)


def test_lines_name_period_tier_units_price_adjustment_and_cap() -> None:
    tiers = [{"from_s": 0, "price_minor": 200}, {"from_s": 7200, "price_minor": 300}]
    held = tariff(
        unit_period("day", "08:00", "20:00", tiers=tiers, cap_minor=1000),
        free_period("night", "20:00", "08:00"),
        vehicles={"van": {"multiplier": 2, "add_minor_per_unit": 50, "cap_multiplier": 1.5}},
    )
    # 16:00: 2 x (200 x 2 + 50); 18:00: 2 x (300 x 2 + 50): 2200, capped at 1500.
    found = priced(held, "2026-06-10T16:00", "2026-06-10T21:00", vehicle="van")
    first, second, free = found.lines
    assert (first.kind, first.period_id, first.tier, first.units) == ("unit", "day", 1, 2)
    assert (first.unit_price_minor, first.amount_minor, first.cap_minor_taken) == (200, 900, 0)
    assert (second.tier, second.amount_minor, second.cap_minor_taken) == (2, 600, 700)
    assert second.adjustment is not None
    assert second.adjustment[:4] == ("van", "2", 50, None)
    assert (free.kind, free.amount_minor, free.period_id) == ("free", 0, "night")
    assert "封顶减7.00元" in second.text["zh"]
    english = second.text["en"]
    assert "2 units of 1 h at CNY 3.00 x 2 + CNY 0.50 (this class of vehicles)" in english
    assert "less CNY 7.00 by a cap: CNY 6.00." in english


def test_free_deducted_tail_and_dropped_time_have_lines_of_zero() -> None:
    day = unit_period("day", "08:00", "20:00", rounding="down")
    held = tariff(
        free_period("lunch", "12:00", "13:00"),
        day,
        grace={"mode": "tail", "seconds": 600},
        entitlements=[{"id": "nev", "deduct_s": 3600}],
    )
    found = priced(held, "2026-06-10T11:00", "2026-06-10T15:05", "nev")
    assert [(line.kind, line.amount_minor) for line in found.lines] == [
        ("deducted", 0),
        ("free", 0),
        ("unit", 200),
        ("tail", 0),
    ]
    assert found.lines[0].entitlement == "nev"
    short = priced(held, "2026-06-10T13:00", "2026-06-10T14:30")
    assert [line.kind for line in short.lines] == ["unit", "dropped"]


def test_the_last_units_line_ends_at_exit_and_a_flat_entered_again_is_paid() -> None:
    night = flat_period("night", "20:00", "08:00", 800)
    held = tariff(free_period("midnight", "00:00", "01:00"), night)
    found = priced(held, "2026-06-10T19:00", "2026-06-11T02:00")
    assert [line.kind for line in found.lines] == ["gap", "flat", "free", "paid"]
    last = priced(tariff(unit_period()), "2026-06-10T10:00", "2026-06-10T10:01").lines[-1]
    assert last.end == datetime(2026, 6, 10, 2, 1, tzinfo=UTC)


def test_rounding_has_its_own_line_where_it_changes_anything() -> None:
    held = tariff(unit_period(price=125), entitlements=[{"id": "nev", "percent_off": 50}])
    found = priced(held, "2026-06-10T10:00", "2026-06-10T11:00", "nev")
    assert [(line.kind, line.amount_minor, line.exact_minor) for line in found.lines] == [
        ("unit", 125, None),
        ("percentage", -63, "-62.5"),
        ("rounding", 1, "62.5"),
    ]
    whole = priced(held, "2026-06-10T10:00", "2026-06-10T12:00", "nev")
    assert [line.kind for line in whole.lines] == ["unit", "percentage"]


def test_a_quote_is_json_with_instants_in_utc() -> None:
    found = priced(tariff(unit_period()), "2026-06-10T10:00", "2026-06-10T11:00")
    text = json.dumps(found.as_dict(), ensure_ascii=False)
    line = json.loads(text)["lines"][0]
    assert line["start"] == "2026-06-10T02:00:00Z"
    assert line["window_date"] == "2026-06-10"
    assert line["text"] == {
        "zh": "时段“每日全天”第1档\uff1a1个计时单位\uff08每1小时1.00元\uff09\uff0c计1.00元。",
        "en": 'Period "daily 00:00-24:00", tier 1: 1 unit of 1 h at CNY 1.00: CNY 1.00.',
    }


def test_a_stay_of_no_time_costs_nothing() -> None:
    held = tariff(flat_period("all", "00:00", "24:00", 800))
    assert priced(held, "2026-06-10T10:00", "2026-06-10T10:00").total_minor == 0


@pytest.mark.parametrize(
    ("entry", "leave", "error"),
    [
        (NOON, NOON - timedelta(microseconds=1), ExitBeforeEntryError),
        (NOON, NOON + timedelta(days=366, microseconds=1), StayTooLongError),
        (NOON.replace(tzinfo=None), NOON, NaiveTimeError),
        (NOON, NOON.replace(tzinfo=None), NaiveTimeError),
        (datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), TimeOutOfRangeError),
        (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), TimeOutOfRangeError),
    ],
)
def test_stays_that_are_none(entry: datetime, leave: datetime, error: type[PricingError]) -> None:
    with pytest.raises(error):
        quote(tariff(unit_period()), Stay(entry, leave))


def test_a_class_that_vehicles_does_not_name_is_an_error() -> None:
    held = tariff(unit_period(), vehicles={"small": {}})
    for vehicle in ("truck", None):
        with pytest.raises(UnknownVehicleError, match="small"):
            fee(held, "2026-06-10T10:00", "2026-06-10T11:00", vehicle=vehicle)
    assert fee(tariff(unit_period()), "2026-06-10T10:00", "2026-06-10T11:00", vehicle="any") == 100


def test_an_unknown_entitlement_is_an_error_but_the_first_stay_is_known() -> None:
    held = tariff(unit_period(), entitlements=[{"id": "nev", "percent_off": 50}])
    with pytest.raises(UnknownEntitlementError, match="vip"):
        fee(held, "2026-06-10T10:00", "2026-06-10T11:00", "nev", "vip")
    assert fee(held, "2026-06-10T10:00", "2026-06-10T11:00", "first_stay", "nev", "nev") == 50


def test_the_quick_table_counts_elapsed_time() -> None:
    held = tariff(unit_period(), timezone="Europe/Berlin")
    entry = datetime.fromisoformat("2026-03-29T01:30+01:00")
    table = fee_table(held, (1800, 3601, 86_400), entry)
    assert table == ((1800, 100), (3601, 200), (86_400, 2400))


def test_a_copy_of_a_document_is_priced_by_itself() -> None:
    held = tariff(unit_period(price=100))
    stay = Stay(NOON, NOON + timedelta(hours=1))
    assert quote(held, stay).total_minor == 100
    changed = held.model_copy(update={"periods": tariff(unit_period(price=300)).periods})
    assert quote(changed, stay).total_minor == 300
    assert quote(held, stay).total_minor == 100
