from datetime import datetime

import numpy as np
import pytest

from simulators.fidelity import statistics
from simulators.fidelity.statistics import FloatArray, occupancy_rows

QUARTERS = 96
WEEKS = 6
# A Tuesday.
START_S = statistics.local_seconds(datetime(2023, 8, 22))  # noqa: DTZ001 - a wall clock


def week(rng: np.random.Generator) -> FloatArray:
    """One lot's week by quarter of an hour, each day another."""
    day = 0.4 + 0.3 * np.sin(np.linspace(0, 2 * np.pi, QUARTERS))
    return np.concatenate([day * share for share in rng.uniform(0.6, 1, 7)])


def rows(occupancy: FloatArray) -> statistics.OccupancyRows:
    return occupancy_rows(occupancy, START_S, 900)


def test_weeks_that_are_alike_leave_nothing() -> None:
    rng = np.random.default_rng(1)
    city = np.array([np.tile(week(rng), WEEKS) * share for share in (0.5, 1.0)])
    found = rows(city)
    assert found.sd_quarter == pytest.approx(0, abs=1e-12)
    assert found.sd_city_day == pytest.approx(0, abs=1e-12)
    assert found.autocorrelation_week == pytest.approx(1)
    assert 0.5 < found.autocorrelation_day < 1
    assert found.full == 0
    means = city.mean(axis=1)
    assert found.sd_lots == pytest.approx(abs(means[1] - means[0]) / 2)


def test_levels_of_days_are_found_as_they_were_drawn() -> None:
    """A share of days that all lots have, and one of each lot's own, with a memory."""
    rng = np.random.default_rng(2)
    days, lots, memory, shared, own = 7 * 60, 12, 0.5, 0.03, 0.04

    def levels(sd: float) -> FloatArray:
        values = [rng.normal(0, sd)]
        for _ in range(days - 1):
            values.append(memory * values[-1] + rng.normal(0, sd * np.sqrt(1 - memory**2)))
        return np.repeat(values, QUARTERS)

    everybody = levels(shared)
    base = np.tile(week(rng), days // 7)
    found = rows(np.array([base + everybody + levels(own) for _ in range(lots)]))
    assert found.sd_quarter == pytest.approx(np.hypot(shared, own), rel=0.1)
    assert found.sd_city_day == pytest.approx(np.hypot(shared, own / np.sqrt(lots)), rel=0.15)
    assert found.correlation_days == pytest.approx(shared**2 / (shared**2 + own**2), abs=0.1)
    assert found.autocorrelation_left == pytest.approx(memory, abs=0.1)


def test_few_weeks_do_not_shrink_what_differs() -> None:
    """Two weeks that lie 0.1 apart differ by 0.1, not by half of it."""
    base = np.full(7 * QUARTERS, 0.4)
    found = rows(np.array([np.concatenate([base, base + 0.1])]))
    assert found.sd_quarter == pytest.approx(0.1)
    assert found.sd_city_day == pytest.approx(0.1)


def test_what_is_not_known_is_left_out() -> None:
    rng = np.random.default_rng(3)
    city = np.array([np.tile(week(rng), WEEKS) for _ in range(3)])
    city += rng.normal(0, 0.02, city.shape)
    city += np.repeat(rng.normal(0, 0.05, (3, 7 * WEEKS)), QUARTERS, axis=1)
    whole = rows(city)
    gaps = city.copy()
    gaps[rng.random(city.shape) < 0.2] = np.nan
    gaps[1, 5 * QUARTERS : 5 * QUARTERS + 90] = np.nan
    found = rows(gaps)
    for name in statistics.OccupancyRows._fields:
        assert getattr(found, name) == pytest.approx(getattr(whole, name), abs=0.03), name
    only_evening = city.copy()
    only_evening[:, 10 * QUARTERS : 10 * QUARTERS + 80] = np.nan
    assert np.isnan(statistics.daily_means(only_evening, START_S)[0][:, 10]).all()


def test_a_lot_nobody_knows_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    city = np.array([np.tile(week(rng), WEEKS) for _ in range(3)])
    city += rng.normal(0, 0.05, city.shape)
    with_unknown = np.vstack([city, np.full(city.shape[1], np.nan)])
    assert rows(with_unknown) == pytest.approx(rows(city))


def test_full_is_a_share_of_known_time() -> None:
    city = np.full((2, WEEKS * 7 * QUARTERS), 0.3)
    city[0, :100] = 0.996
    city[0, 100:200] = 0.994
    city[1, 1_000:] = np.nan
    assert rows(city).full == pytest.approx(100 / (city.shape[1] + 1_000))


def test_finer_steps_are_means_of_quarters() -> None:
    start_s = START_S + 600
    steps = np.arange(12, dtype=float)[None, :]
    quarters, first_s = statistics.to_quarters(steps, start_s, 300)
    assert first_s == START_S + 900
    assert quarters.tolist() == [[2, 5, 8]]
    with pytest.raises(ValueError, match="420 s"):
        statistics.to_quarters(steps, START_S, 420)


def test_less_than_two_weeks_is_refused() -> None:
    with pytest.raises(ValueError, match="two weeks"):
        rows(np.zeros((1, 13 * QUARTERS)))


def test_hours_are_local_and_weekends_apart() -> None:
    at = np.arange(2 * 7 * QUARTERS)
    hour = at * 900 % 86_400 // 3_600
    # From Tuesday on, days 4 and 5 are Saturday and Sunday.
    weekend = np.isin(at // QUARTERS % 7, (4, 5))
    city = (hour / 100 + 0.5 * weekend)[None, :]
    expected = np.arange(24) / 100
    assert np.allclose(statistics.hourly_means(city, START_S, 900), expected)
    assert np.allclose(statistics.hourly_means(city, START_S, 900, weekend=True), expected + 0.5)


def test_distance_of_samples() -> None:
    one = np.array([1.0, 2, 3, 4])
    assert statistics.ks_distance(one, one) == 0
    assert statistics.ks_distance(one, one + 10) == 1
    assert statistics.ks_distance(one, np.array([1.0, 2, 3, 40, 50, 60, 70, 80])) == 0.625
    rng = np.random.default_rng(5)
    near = statistics.ks_distance(rng.normal(0, 1, 20_000), rng.normal(0.5, 1, 20_000))
    assert near == pytest.approx(0.1974, abs=0.015)
    with pytest.raises(ValueError, match="empty"):
        statistics.ks_distance(one, np.array([]))
