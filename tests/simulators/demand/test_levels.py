"""Levels of days: functions of seed, name and day, of the deviation and memory asked for."""

import numpy as np
import pytest

from simulators.demand.levels import day_levels, keys, normals, uniforms, wanderings

LOTS = keys(1, "lot", (f"lot-{n}" for n in range(2_000)))


def test_numbers_are_uniform_and_normal_and_of_their_key() -> None:
    numbers = np.arange(50)[:, None]
    shares = uniforms(LOTS, numbers)
    assert shares.mean() == pytest.approx(0.5, abs=0.01)
    assert 0 <= shares.min() < 0.001
    assert 0.999 < shares.max() < 1
    drawn = normals(LOTS, numbers)
    assert drawn.mean() == pytest.approx(0, abs=0.02)
    assert drawn.std() == pytest.approx(1, abs=0.02)
    assert abs(np.corrcoef(drawn[0], drawn[1])[0, 1]) < 0.1
    assert np.array_equal(normals(LOTS[7:9], numbers), drawn[:, 7:9])
    assert (
        len(set(np.concatenate((LOTS, keys(2, "lot", ["lot-1"]), keys(1, "use", ["lot-1"])))))
        == 2_002
    )


def test_a_level_has_its_deviation_and_memory() -> None:
    sd, memory = np.full(len(LOTS), 0.3), np.full(len(LOTS), 0.6)
    days = np.array([day_levels(LOTS, day, sd, memory) for day in range(20_000, 20_030)])
    assert days.std() == pytest.approx(0.3, rel=0.05)
    assert np.corrcoef(days[:-1].ravel(), days[1:].ravel())[0, 1] == pytest.approx(0.6, abs=0.03)
    again = day_levels(LOTS[:1], 20_010, sd[:1], memory[:1])
    assert again[0] == days[10, 0]


def test_a_level_wanders_within_the_day_and_on_into_the_next() -> None:
    sd, hours = np.full(len(LOTS), 0.2), np.full(len(LOTS), 3.0)
    today, tomorrow = (wanderings(LOTS, day, sd, hours) for day in (20_000, 20_001))
    assert today.shape == (25, len(LOTS))
    assert today.std() == pytest.approx(0.2, rel=0.05)
    assert today[-1] == pytest.approx(tomorrow[0], abs=1e-4)
    beside = np.corrcoef(today[:-3].ravel(), today[3:].ravel())[0, 1]
    assert beside == pytest.approx(np.exp(-1), abs=0.05)
