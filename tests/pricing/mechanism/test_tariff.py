"""A mechanism held against tariffs: which period is which band, and what moving it does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

import pricing
from pricing.mechanism.document import Mechanism
from pricing.mechanism.review import PriceState, Reading
from pricing.mechanism.tariff import (
    MechanismUnfitError,
    bounded,
    fit,
    governed,
    moved,
    price_states,
    review_tariff,
)

AT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
PEAK, OFF = {"from": "04-20", "to": "10-10"}, {"from": "10-11", "to": "04-19"}


def period(period_id: str, *prices: int, **fields: Any) -> dict[str, Any]:
    tiers = [{"from_s": 3600 * n, "price_minor": price} for n, price in enumerate(prices)]
    return {
        "id": period_id,
        "days": "all",
        "start": "07:30",
        "end": "18:30",
        "charge": "unit",
        "unit_s": 1800,
        "rounding": "up",
        "tiers": tiers,
    } | fields


def document(*periods: dict[str, Any], **fields: Any) -> dict[str, Any]:
    night = {"id": "night", "days": "all", "start": "18:30", "end": "07:30", "charge": "free"}
    return {
        "id": "t",
        "name": {"zh": "路", "en": "road"},
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "periods": [*periods, night],
        "tier_clock": "window",
        "boundary": "unit_start",
        "grace": {"mode": "none"},
        "version_policy": "at_entry",
    } | fields


def seasons(peak: tuple[int, ...] = (350, 400), off: tuple[int, ...] = (200,)) -> dict[str, Any]:
    return document(period("p", *peak, season=PEAK), period("o", *off, season=OFF))


def mechanism(**fields: Any) -> Mechanism:
    given = {
        "id": "m",
        "zone_id": "z",
        "lot_types": ["on_street"],
        "time_bands": [{"id": "day", "days": "all", "start": "07:30", "end": "18:30"}],
        "floor_minor": 200,
        "ceiling_minor": 840,
        "grid_minor": 20,
    }
    return Mechanism.model_validate(given | fields)


TWO_SEASONS = [{"id": "peak", **PEAK}, {"id": "off", **OFF}]


def test_each_band_and_season_has_its_period() -> None:
    found = fit(mechanism(seasons=TWO_SEASONS), pricing.read_tariff(seasons()))
    assert [(one.time_band, one.season, one.period.id) for one in found] == [
        ("day", "peak", "p"),
        ("day", "off", "o"),
    ]
    # 3.50 and 4.00 a half hour are 7.00 and 8.00 an hour.
    assert [int(price) for price in found[0].hour_prices] == [700, 800]
    assert found[0].price == 700


def test_both_ways_to_write_midnight_and_any_order_of_days() -> None:
    days = period("a", 300, days=["sun", "sat"], start="00:00", end="24:00")
    band = {"id": "b", "days": ["sat", "sun"], "start": "00:00", "end": "00:00"}
    (found,) = fit(mechanism(time_bands=[band]), pricing.read_tariff(document(days)))
    assert found.period.id == "a"


def test_every_reason_why_it_does_not_fit_is_told_at_once() -> None:
    tariff = pricing.read_tariff(
        document(
            period("low", 90, 150),
            period("odd", 205, start="18:30", end="20:00"),
            period("third", 100, unit_s=1200, start="20:00", end="21:00"),
        )
    )
    hours = [("07:30", "18:30"), ("18:30", "20:00"), ("20:00", "21:00"), ("21:00", "22:00")]
    bands = [
        {"id": f"b{n}", "days": "all", "start": start, "end": end}
        for n, (start, end) in enumerate(hours)
    ]
    with pytest.raises(MechanismUnfitError) as caught:
        fit(mechanism(timezone="UTC", time_bands=bands), tariff)
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [
        ("timezone", "timezone"),
        # 1.80 an hour lies below the floor of 2.00.
        ("time_bands[0]", "price"),
        # 4.10 an hour is no multiple of 0.20.
        ("time_bands[1]", "price"),
        # A third of 0.20 is no whole fen.
        ("time_bands[2]", "price"),
        ("time_bands[3]", "no_period"),
    ]


def test_the_season_must_be_the_same() -> None:
    year_round = pricing.read_tariff(document(period("p", 350)))
    with pytest.raises(MechanismUnfitError, match="from 04-20 to 10-10"):
        fit(mechanism(seasons=TWO_SEASONS), year_round)
    with pytest.raises(MechanismUnfitError, match="time_bands"):
        fit(mechanism(), pricing.read_tariff(seasons()))


def test_no_tier_leaves_the_limits() -> None:
    given = mechanism(seasons=TWO_SEASONS, ceiling_minor=840, floor_minor=200)
    peak, off = fit(given, pricing.read_tariff(seasons()))
    # The second tier is 1.00 dearer: the first may rise to 7.40.
    assert (bounded(given, peak).floor_minor, bounded(given, peak).ceiling_minor) == (200, 740)
    assert (bounded(given, off).floor_minor, bounded(given, off).ceiling_minor) == (200, 840)
    cheaper_later = document(period("p", 400, 350))
    (one,) = fit(mechanism(), pricing.read_tariff(cheaper_later))
    assert (bounded(mechanism(), one).floor_minor, bounded(mechanism(), one).ceiling_minor) == (
        300,
        840,
    )


def test_moving_a_band_moves_its_tiers_alike_and_nothing_else() -> None:
    before = seasons()
    periods = fit(mechanism(seasons=TWO_SEASONS), pricing.read_tariff(before))
    after = moved(before, periods, {("day", "peak"): 40})
    # 0.40 an hour more is 0.20 a half hour.
    tiers = [tier["price_minor"] for tier in after["periods"][0]["tiers"]]
    assert tiers == [370, 420]
    assert after["periods"][1:] == before["periods"][1:]
    assert before == seasons()
    assert fit(mechanism(seasons=TWO_SEASONS), pricing.read_tariff(after))[0].price == 740


def test_state_is_what_was_really_in_force() -> None:
    """7.00, then 7.40, a version without the period, then 7.20; off-peak never changed."""
    days = [AT - timedelta(days=days) for days in (400, 300, 200, 100, 50)]
    documents = [
        seasons(),
        seasons(peak=(370, 400)),
        document(period("p", 500)),
        seasons(peak=(360, 400)),
        seasons(peak=(360, 450)),
    ]
    history = [(at, pricing.read_tariff(one)) for at, one in zip(days, documents, strict=True)]
    states = price_states(mechanism(seasons=TWO_SEASONS), history)
    assert states == (
        PriceState("day", "peak", 720, -1, days[3]),
        PriceState("day", "off", 400, 0, None),
    )


def test_a_review_of_a_tariff_stops_where_its_dearest_tier_meets_the_ceiling() -> None:
    given = mechanism(seasons=TWO_SEASONS)
    tariff = pricing.read_tariff(seasons())
    periods = fit(given, tariff)
    full = Reading("day", "off", 0.99, 1.0, 50, pressure=0.5)
    states = price_states(given, [(AT - timedelta(days=400), tariff)])
    (proposal,) = review_tariff(given, periods, states, [full], AT)
    assert 400 < proposal.after_minor <= 500
    assert proposal.after_minor % 20 == 0

    near = pricing.read_tariff(seasons(off=(360, 410)))
    states = price_states(given, [(AT - timedelta(days=400), near)])
    (proposal,) = review_tariff(given, fit(given, near), states, [full], AT)
    # The second tier, 8.20, may rise to 8.40.
    assert (proposal.before_minor, proposal.after_minor) == (720, 740)
    assert proposal.reason == "at_ceiling"


def test_hours_are_those_in_which_the_period_governs() -> None:
    workdays = period("work", 300, days=["workday"])
    others = period("rest", 200)
    tariff = pricing.read_tariff(document(workdays, others))
    # Thursday 1 and Friday 2 January 2026 are holidays here, Sunday the 4th is worked.
    calendar = pricing.Calendar(
        holidays=("2026-01-01", "2026-01-02"), makeup_workdays=("2026-01-04",)
    )
    midnight = datetime.fromisoformat("2026-01-01T00:00:00+08:00")
    hours = governed(tariff, calendar, midnight, midnight + timedelta(days=5))
    worked = [start.astimezone(midnight.tzinfo).isoformat() for start, _ in hours["work"]]
    assert worked == ["2026-01-04T07:30:00+08:00", "2026-01-05T07:30:00+08:00"]
    assert sum((end - start for start, end in hours["work"]), timedelta()) == timedelta(hours=22)
    assert len(hours["rest"]) == 3


def test_an_earlier_period_takes_its_hours_away() -> None:
    noon = period("noon", 300, start="11:30", end="13:30")
    tariff = pricing.read_tariff(document(noon, period("day", 200)))
    midnight = datetime.fromisoformat("2026-01-01T00:00:00+08:00")
    hours = governed(tariff, None, midnight, midnight + timedelta(days=1))
    assert [
        (f"{start.astimezone(midnight.tzinfo):%H:%M}", f"{end.astimezone(midnight.tzinfo):%H:%M}")
        for start, end in hours["day"]
    ] == [("07:30", "11:30"), ("13:30", "18:30")]


def test_steps_of_the_baseline_that_would_leave_the_grid_are_refused() -> None:
    """0.50 an hour is no multiple of 0.20, nor a whole fen for a third of an hour."""
    with pytest.raises(ValidationError, match="multiples of the grid") as caught:
        mechanism(rule="sfpark", ceiling_minor=100)
    # All that is wrong is told at once.
    assert "the floor lies above the ceiling" in str(caught.value)
    assert mechanism(rule="size_aware").step_minor == 50


@pytest.mark.parametrize("occupancy", [0.9, 0.5])
def test_what_the_baseline_proposes_can_be_reviewed_again(occupancy: float) -> None:
    given = mechanism(rule="sfpark", grid_minor=30, step_minor=60, small_step_minor=30,
                      floor_minor=180, ceiling_minor=900)  # fmt: skip
    before = document(period("p", 100, 120, unit_s=1200))
    tariff = pricing.read_tariff(before)
    periods = fit(given, tariff)
    states = price_states(given, [(AT - timedelta(days=400), tariff)])
    seen = [Reading("day", None, occupancy, 1.0, 50)]
    (proposal,) = review_tariff(given, periods, states, seen, AT)
    change = proposal.after_minor - proposal.before_minor
    after = pricing.read_tariff(moved(before, periods, {("day", None): change}))
    # 0.60 an hour is 0.20 a third of an hour.
    assert fit(given, after)[0].price == proposal.after_minor
    assert abs(change) == 60
