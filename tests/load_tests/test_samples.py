from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from load_tests.samples import Recorder, Samples, per_second, percentiles


def test_percentiles_are_by_nearest_rank() -> None:
    assert percentiles(list(range(1, 101))) == (50.0, 95.0, 99.0)
    assert percentiles([7.0]) == (7.0, 7.0, 7.0)
    assert percentiles([1.0, 2.0]) == (1.0, 2.0, 2.0)


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_at_least_their_share_is_at_or_below_a_percentile(values: list[float]) -> None:
    for share, value in zip((50, 95, 99), percentiles(values), strict=True):
        assert value in values
        assert sum(one <= value for one in values) >= share / 100 * len(values)


@pytest.fixture
def samples() -> Samples:
    recorder = Recorder()
    for end_s, latency_ms in ((100.0, 5.0), (100.9, 7.0), (102.5, 1.0)):
        recorder.add("a", end_s, latency_ms)
    recorder.add("b", 103.0, 9.0)
    return recorder.samples()


def test_samples_come_back_from_their_file(samples: Samples, tmp_path: Path) -> None:
    samples.save(tmp_path / "samples.npz")
    again = Samples.load(tmp_path / "samples.npz").by_kind
    assert {kind: [list(one) for one in pair] for kind, pair in again.items()} == {
        "a": [[100.0, 100.9, 102.5], [5.0, 7.0, 1.0]],
        "b": [[103.0], [9.0]],
    }


def test_no_samples_come_back_as_none(tmp_path: Path) -> None:
    Recorder().samples().save(tmp_path / "samples.npz")
    assert Samples.load(tmp_path / "samples.npz").by_kind == {}


def test_a_stretch_is_half_open(samples: Samples) -> None:
    cut = samples.within(100.0, 102.5)
    assert list(cut.by_kind) == ["a"]
    figures = cut.figures("a", 2.5)
    assert figures is not None
    assert (figures.number, figures.per_s, figures.longest_ms) == (2, 0.8, 7.0)
    assert cut.figures("b", 2.5) is None


def test_each_second_is_summed_up(samples: Samples) -> None:
    rows = per_second(*samples.by_kind["a"], start_s=100.0, length_s=3)
    assert rows[:, 0].tolist() == [2.0, 0.0, 1.0]
    assert rows[0, 1:].tolist() == [5.0, 7.0, 7.0]
    assert np.isnan(rows[1, 1:]).all()
