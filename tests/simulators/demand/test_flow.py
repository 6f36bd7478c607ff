"""Flow: deterministic, true to its rates and stays, never over capacity, and closed when shut."""

import numpy as np
import pytest

from simulators.demand.flow import LOOK_ON, Flow
from simulators.demand.parameters import LAND_USES, Parameters
from simulators.registry import Lot
from tests.simulators.demand.cities import (
    DAY_S,
    HOUR_S,
    OFFSET_S,
    STILL,
    at,
    city,
    lot,
    parameters,
)

HERE = {"longitude": 120.38, "latitude": 36.06}
# 0.003 degrees of latitude are 334 m, 0.006 are 668 m.
NEAR = {"longitude": 120.38, "latitude": 36.063}
FAR = {"longitude": 120.38, "latitude": 36.066}


def flow(
    lots: list[Lot], start: str, seed: int = 1, known: Parameters | None = None, step_s: int = 300
) -> Flow:
    return Flow(lots, at(start), seed=seed, utc_offset_s=OFFSET_S, parameters=known, step_s=step_s)


def test_the_cut_of_calls_does_not_matter() -> None:
    start = "2026-11-23T12:00"
    runs = [flow(city("mall"), start, seed) for seed in (7, 7, 8)]
    for hours in np.arange(0.05, 4.0, 0.05):
        runs[0].advance_to(at(start) + hours * HOUR_S)
    for run in runs:
        run.advance_to(at(start) + 4 * HOUR_S)
    assert runs[0].present.tolist() == runs[1].present.tolist()
    assert runs[0].present.tolist() != runs[2].present.tolist()


def test_time_does_not_go_back() -> None:
    run = flow(city("mall"), "2026-11-23T12:00")
    before = run.present.tolist()
    run.advance_to(at("2026-11-23T11:00"))
    assert run.now_s == at("2026-11-23T12:00")
    assert run.present.tolist() == before


@pytest.mark.parametrize("land_use", LAND_USES)
def test_occupancy_is_as_the_rates_have_it(land_use: str) -> None:
    known = parameters(land_use, peak={"mean": 0.5, "sd": 0}, **STILL)
    run = flow(city(land_use), "2026-11-24T10:00", known=known)
    for hour in (10, 12, 18):
        run.advance_to(at(f"2026-11-24T{hour}:00"))
        expected = run.rates.present(run.now_s).sum()
        assert run.present.sum() == pytest.approx(expected, rel=0.06, abs=60)


def test_steps_of_another_length_give_the_same_city() -> None:
    known = parameters("mall", **STILL)
    short, long = (flow(city("mall"), "2026-11-24T06:00", 1, known, step) for step in (20, 300))
    for run in (short, long):
        run.advance_to(at("2026-11-24T15:00"))
    assert short.present.sum() == pytest.approx(long.present.sum(), rel=0.05)


def test_start_is_the_same_whether_warmed_up_or_lived_through() -> None:
    known = parameters("housing", **STILL)
    drawn = flow(city("housing"), "2026-11-24T20:00", 1, known)
    lived = flow(city("housing"), "2026-11-21T08:00", 1, known)
    lived.advance_to(drawn.now_s)
    assert lived.present.sum() == pytest.approx(drawn.present.sum(), rel=0.03)


def test_drivers_of_a_full_lot_go_to_a_near_one_or_leave() -> None:
    known = parameters("office", peak={"mean": 3.0, "sd": 0}, **STILL)
    known = parameters("hotel", known, peak={"mean": 0.03, "sd": 0}, **STILL)
    busy = lot("busy", 200, "office", **HERE)
    spare = lot("spare", 2_000, "hotel", **NEAR)
    alone = flow([busy, lot("far", 2_000, "hotel", **FAR)], "2026-11-24T07:00", known=known)
    beside = flow([busy, spare], "2026-11-24T07:00", known=known)
    for run in (alone, beside):
        run.advance_to(at("2026-11-24T10:00"))
        assert run.present[0] >= 195
    assert alone.diverted == 0
    assert alone.lost > 100
    assert beside.diverted / (beside.diverted + beside.lost) == pytest.approx(LOOK_ON, abs=0.08)
    assert beside.present[1] > alone.present[1] + 100


def test_nobody_is_sent_to_a_lot_without_room() -> None:
    known = parameters("office", peak={"mean": 3.0, "sd": 0}, **STILL)
    lots = [lot(f"busy-{n}", 40, "office", **HERE) for n in range(3)]
    run = flow(lots, "2026-11-24T09:00", known=known)
    for step in range(1, 40):
        run.advance_to(at("2026-11-24T09:00") + step * 300)
        assert run.present.max() <= 40
    assert run.lost > 50


def test_nobody_enters_a_closed_lot_and_all_have_left_when_it_closes() -> None:
    hours = {"opens_at": "09:00", "closes_at": "12:00"}
    run = flow([lot("shut", 500, "mall", **hours, **HERE)], "2026-11-24T11:40")
    assert run.present[0] > 20
    run.advance_to(at("2026-11-24T12:00"))
    assert run.present[0] == 0
    assert run.shortened > 5
    for step in range(1, 21 * 12):
        run.advance_to(at("2026-11-24T12:00") + step * 300)
        assert run.present[0] == 0
    assert run.turned_away_closed == run.lost + run.diverted > 5
    run.advance_to(at("2026-11-25T11:00"))
    assert run.present[0] > 20


@pytest.mark.parametrize("step_s", [5, 300])
def test_lots_are_empty_by_a_closing_time_that_is_in_no_grid(step_s: int) -> None:
    hours = {"opens_at": "06:00", "closes_at": "21:07"}
    lots = [lot(f"l-{n}", 300, "office", **hours) for n in range(5)]
    run = flow(lots, "2026-11-24T16:00", step_s=step_s)
    run.advance_to(at("2026-11-24T20:50"))
    assert run.present.sum() > 20
    before = run.present.sum()
    run.advance_to(at("2026-11-24T21:03"))
    assert 0 < run.present.sum() < before
    run.advance_to(at("2026-11-24T21:07"))
    assert run.present.sum() == 0


def test_whose_stay_is_much_longer_goes_to_a_lot_that_stays_open() -> None:
    known = parameters("hotel", peak={"mean": 0.6, "sd": 0}, **STILL)
    hours = {"opens_at": "06:00", "closes_at": "20:00"}
    lots = [lot("shut", 400, "hotel", **hours, **HERE), lot("open", 2_000, "hotel", **NEAR)]
    run = flow(lots, "2026-11-24T19:00", known=known)
    run.advance_to(at("2026-11-24T19:55"))
    assert run.turned_away_closed > 10
    # They know: nobody is lost while there is room near.
    assert run.diverted == run.turned_away_closed
    assert run.lost == 0


def test_drivers_who_meet_a_closed_lot_go_to_a_near_one() -> None:
    lots = [
        lot("shut", 2_000, "mall", opens_at="22:00", closes_at="23:00", **HERE),
        lot("open", 2_000, "mall", **NEAR),
    ]
    run = flow(lots, "2026-11-24T12:00")
    run.advance_to(at("2026-11-24T18:00"))
    assert run.turned_away_closed > 20
    assert run.diverted > run.lost > 0


def test_hours_over_midnight() -> None:
    run = flow(
        [lot("night", 300, "housing", opens_at="18:00", closes_at="08:30")], "2026-11-24T17:00"
    )
    opening = run.rates.opening
    found = [bool(opening.at(int(hour * HOUR_S))[0]) for hour in (0, 8.4, 8.5, 17.9, 18, 23.9)]
    assert found == [True, True, False, False, True, True]


def test_a_week_of_night_stays_is_warmed_up() -> None:
    run = flow(city("housing"), "2026-11-24T03:00")
    first = run.present.sum()
    run.advance_to(run.now_s + DAY_S)
    assert first == pytest.approx(run.present.sum(), rel=0.15)


@pytest.mark.parametrize("lots", [[], [lot("empty", 0, "mall")]])
def test_no_demand_without_bays(lots: list[Lot]) -> None:
    with pytest.raises(ValueError, match="at least one bay"):
        flow(lots, "2026-11-23T10:00")


@pytest.mark.parametrize("step_s", [5, 300])
def test_a_run_that_begins_later_finds_the_city_as_full(step_s: int) -> None:
    """At any minute: history and live runs meet there."""
    # So many drivers that chance alone is under one in a hundred.
    lots, start = city("market", 400), "2026-11-24T09:14:55"
    run = flow(lots, "2026-11-23T12:00")
    run.advance_to(at("2026-11-24T09:10"))
    later = flow(lots, start, step_s=step_s)
    assert later.present.sum() == pytest.approx(run.present.sum(), rel=0.03)
    assert later.lost == later.diverted == later.turned_away_closed == 0
