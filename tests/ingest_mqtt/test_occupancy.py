from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_mqtt.lots import Lot, LotState
from ingest_mqtt.occupancy import STEP_S, Step, Steps
from tests.ingest_mqtt.conftest import AT

LOT = Lot("gates", "op-a", "count", 50, 900)


def counted(free: int, at: datetime, received: datetime | None = None) -> LotState:
    return LotState(1, 1, 50, free, None, None, None, at, received or at)


def record(*states: LotState) -> dict[float, Step]:
    steps = Steps()
    before: LotState | None = None
    for after in states:
        steps.record(LOT, before, after)
        before = after
    return {second - AT.timestamp(): step for (_, second), step in steps.by_key.items()}


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def test_a_count_holds_until_the_next_one_and_is_cut_at_the_steps() -> None:
    steps = record(counted(10, at(60)), counted(4, at(400)))
    assert steps[0] == Step(50, 240, 2400, 10, 10, 10)
    assert steps[300] == Step(50, 100, 1000, 4, 4, 4)


def test_it_never_holds_longer_than_the_report_interval() -> None:
    steps = record(counted(10, at(0)), counted(4, at(5000)))
    assert sum(step.covered_s for step in steps.values()) == LOT.report_interval_s
    assert set(steps) == {0, 300, 600, 4800}


def test_time_without_a_free_space_is_told_apart() -> None:
    steps = record(
        counted(0, at(60)), counted(4, at(200)), counted(0, at(250)), counted(9, at(400))
    )
    assert steps[0] == Step(50, 240, 200, 0, 0, 4, full_s=190)
    assert steps[300] == Step(50, 100, 0, 9, 9, 9, full_s=100)


def test_last_least_and_most_are_of_the_reports_in_the_step() -> None:
    steps = record(counted(10, at(0)), counted(4, at(10)), counted(7, at(20)))
    assert steps[0] == Step(50, 20, 140, 7, 4, 10)


def test_clocks_that_run_ahead_do_not_write_the_future() -> None:
    steps = record(counted(10, at(86_400), received=at(5)))
    assert set(steps) == {0}


def test_a_clock_that_jumps_back_covers_nothing() -> None:
    steps = record(counted(10, at(200)), counted(4, at(100)))
    assert steps[0].covered_s == 0


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0.1, 3000)), min_size=2, max_size=20))
def test_coverage_and_integral_are_those_of_the_gaps(reports: list[tuple[int, float]]) -> None:
    moment, states = 0.0, []
    for free, gap in reports:
        states.append(counted(free, at(moment)))
        moment += gap
    steps = record(*states)
    held = [min(gap, LOT.report_interval_s) for _, gap in reports[:-1]]
    weighted = sum(free * length for (free, _), length in zip(reports, held, strict=False))
    assert sum(s.covered_s for s in steps.values()) == pytest.approx(sum(held), abs=1e-3)
    assert sum(s.free_space_s for s in steps.values()) == pytest.approx(weighted, abs=0.1)
    assert all(step.covered_s <= STEP_S + 1e-3 for step in steps.values())
