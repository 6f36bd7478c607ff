"""Demand: deterministic, true to its rates and stays, and never over capacity."""

import math
from datetime import datetime

import numpy as np
import pytest

from simulators.demand.bays import PEAK_MAX, PEAK_MIN, Demand, peak_occupancy
from simulators.demand.land_use import LAND_USES, demand_shape, week_bin
from simulators.registry import Lot

OFFSET_S = 8 * 3_600


def at(text: str) -> float:
    return datetime.fromisoformat(f"{text}+08:00").timestamp()


def lot(lot_id: str, capacity: int, land_use: str) -> Lot:
    return Lot(lot_id, "gw-a", "surface", land_use, "bays", 600, capacity)


def city(land_use: str, lots: int = 100, capacity: int = 200) -> list[Lot]:
    return [lot(f"lot-{n}", capacity, land_use) for n in range(lots)]


def demand(lots: list[Lot], start: str, seed: int = 1) -> Demand:
    return Demand(lots, at(start), seed=seed, utc_offset_s=OFFSET_S)


def test_same_seed_same_history() -> None:
    runs = [demand(city("mall"), "2026-11-23T12:00", seed) for seed in (7, 7, 8)]
    changes = [[run.advance(1.0).tolist() for _ in range(60)] for run in runs]
    assert changes[0] == changes[1]
    assert changes[0] != changes[2]
    assert np.array_equal(runs[0].occupied, runs[1].occupied)


def test_changes_are_the_bays_that_differ() -> None:
    run = demand(city("market"), "2026-11-23T08:00")
    for _ in range(50):
        before = run.occupied.copy()
        changed = run.advance(20.0)
        assert np.array_equal(changed, np.flatnonzero(before != run.occupied))


@pytest.mark.parametrize("land_use", sorted(LAND_USES))
def test_occupancy_starts_and_stays_as_the_hour_has_it(land_use: str) -> None:
    run = demand(city(land_use), "2026-11-24T10:00")
    for _ in range(2):
        # Lots that fill turn drivers away, so that they hold a little less than expected.
        expected = np.minimum(run.expected_present(), 200.0).sum()
        assert run.occupied.sum() == pytest.approx(expected, rel=0.06, abs=60)
        for _ in range(240):
            run.advance(30.0)


def test_start_is_the_same_whether_drawn_or_lived_through() -> None:
    drawn = demand(city("mall"), "2026-11-24T20:00")
    lived = demand(city("mall"), "2026-11-24T08:00")
    for _ in range(12 * 120):
        lived.advance(30.0)
    assert lived.now_s == drawn.now_s
    assert lived.occupied.sum() == pytest.approx(drawn.occupied.sum(), rel=0.05)


def test_stays_have_the_median_of_their_land_use() -> None:
    run = demand([lot("big", 20_000, "market")], "2026-11-23T08:00")
    came_s = np.full(20_000, np.nan)
    stays_min: list[float] = []
    for step in range(5 * 120):
        for bay in run.advance(30.0):
            if run.occupied[bay] and step < 120:
                came_s[bay] = run.now_s
            elif not run.occupied[bay] and not math.isnan(came_s[bay]):
                stays_min.append((run.now_s - came_s[bay]) / 60)
                came_s[bay] = np.nan
            elif run.occupied[bay]:
                came_s[bay] = np.nan
    assert len(stays_min) > 2_000
    assert float(np.median(stays_min)) == pytest.approx(35, rel=0.1)


def test_full_lots_turn_drivers_away() -> None:
    busiest = max((f"lot-{n}" for n in range(500)), key=lambda lot: peak_occupancy(lot, 1))
    run = demand([lot(busiest, 40, "office")], "2026-11-24T09:00")
    for _ in range(240):
        run.advance(30.0)
        assert run.occupied.sum() <= 40
    assert run.lost > 0


def test_offices_fill_on_weekdays_only() -> None:
    monday = demand(city("office"), "2026-11-23T10:30").expected_present().sum()
    sunday = demand(city("office"), "2026-11-22T10:30").expected_present().sum()
    night = demand(city("office"), "2026-11-23T03:00").expected_present().sum()
    assert monday > 3 * sunday
    assert monday > 3 * night


def test_peaks_spread_over_their_range_by_id_and_seed() -> None:
    peaks = np.array([peak_occupancy(f"lot-{n}", 1) for n in range(2_000)])
    assert PEAK_MIN <= peaks.min() < PEAK_MIN + 0.02
    assert PEAK_MAX - 0.02 < peaks.max() <= PEAK_MAX
    assert peak_occupancy("lot-1", 1) != peak_occupancy("lot-1", 2)


def test_week_begins_on_monday_in_the_city() -> None:
    assert week_bin(at("2026-11-23T00:00"), OFFSET_S) == 0
    assert week_bin(at("2026-11-22T23:59"), OFFSET_S) == 7 * 288 - 1
    assert week_bin(at("2026-11-24T00:05"), OFFSET_S) == 289


def test_lots_without_land_use_go_by_their_type() -> None:
    assert demand_shape("", "on_street") == "street"
    assert demand_shape("", "underground") == "mall"
    assert demand_shape("hotel", "on_street") == "hotel"


@pytest.mark.parametrize("lots", [[], [lot("empty", 0, "mall")]])
def test_no_demand_without_bays(lots: list[Lot]) -> None:
    with pytest.raises(ValueError, match="at least one bay"):
        demand(lots, "2026-11-23T10:00")
