"""Occupancy in steps: what a report covers, whatever clocks say."""

from copy import deepcopy
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_mqtt.lots import Lot, LotState
from ingest_mqtt.messages import CountReport, SpacesReport
from ingest_mqtt.occupancy import STEP_S, Step, Steps
from ingest_mqtt.transition import advance
from tests.ingest_mqtt.builders import AT, at

LOT = Lot("gates", "op-a", "count", 50, 600)
# A state is live for one and a half intervals.
LIVE_S = 900
SIXTY = Lot("sixty", "op-a", "bays", 60, 600, class_masks=((1 << 60) - 1, 0, 0, 0))


def counted(free: int, at_s: float, unknown: int = 0) -> LotState:
    return LotState(1, 1, 50, free, unknown, None, None, None, at(at_s), at(at_s), at(at_s))


def record(*states: LotState) -> dict[float, Step]:
    steps = Steps()
    before: LotState | None = None
    for after in states:
        steps.record(LOT, before, after)
        before = after
    return {second - AT.timestamp(): step for (_, second), step in steps.by_key.items()}


def step(last: int, least: int, most: int, covered_s: float, free_space_s: float) -> Step:
    space_s = 50 * covered_s
    return Step(50, last, least, most, covered_s, space_s, space_s, free_space_s)


def test_a_count_holds_until_the_next_one_and_is_cut_at_the_steps() -> None:
    steps = record(counted(10, 60), counted(4, 400))
    assert steps[0] == step(10, 10, 10, 240, 2400)
    # The ten that were free at its start count.
    assert steps[300] == step(4, 4, 10, 100, 1000)


def test_it_holds_as_long_as_the_lot_is_live() -> None:
    steps = record(counted(10, 0), counted(4, 5000))
    assert sum(step.covered_s for step in steps.values()) == LIVE_S
    assert set(steps) == {0, 300, 600, 4800}


def test_time_in_which_the_lot_is_full_is_told_apart() -> None:
    steps = record(counted(0, 60), counted(4, 200), counted(0, 250), counted(9, 400))
    assert (steps[0].full_s, steps[0].free_space_s, steps[0].free_min) == (190, 200, 0)
    assert (steps[300].full_s, steps[300].free_min, steps[300].free_max) == (100, 0, 9)
    # None is free, but whether the others are taken is not known.
    assert record(counted(0, 0, unknown=1), counted(5, 100))[0].full_s == 0


def test_last_least_and_most_are_of_the_states_in_the_step() -> None:
    steps = record(counted(10, 0), counted(4, 10), counted(7, 20))
    assert steps[0] == step(7, 4, 10, 20, 140)


def test_a_step_is_covered_by_the_share_of_the_lot_that_is_known() -> None:
    """Three of sixty bays are reported: one free, two occupied."""
    first = SpacesReport(epoch=1, seq=1, observed_at=AT, occupied=(1, 2), free=(3,))
    then = SpacesReport(epoch=1, seq=2, observed_at=at(300), free=(3,))
    before = advance(SIXTY, None, first, AT)
    steps = Steps()
    steps.record(SIXTY, None, before)
    steps.record(SIXTY, before, advance(SIXTY, before, then, at(300)))
    whole = steps.by_key["sixty", int(AT.timestamp())]
    assert (whole.covered_s, whole.space_s, whole.known_space_s) == (300, 18_000, 900)
    assert (whole.free_space_s, whole.free_min, whole.free_max) == (300, 1, 1)


def test_of_a_state_in_which_nothing_is_known_nothing_is_written() -> None:
    nothing = counted(0, 0, unknown=50)
    assert record(nothing, counted(0, 100, unknown=50)) == {}
    steps = record(nothing, counted(3, 100), counted(4, 200))
    assert (steps[0].covered_s, steps[0].free_min) == (100, 3)


# Clocks of devices that jump by anything up to years, and ours, which runs.
clocks = st.lists(
    st.tuples(
        st.integers(0, 50),
        st.one_of(st.floats(-2000, 400), st.floats(-1e8, 1e8), st.just(0.0)),
        st.floats(0, 700),
    ),
    min_size=1,
    max_size=30,
)


@given(clocks)
def test_whatever_clocks_say_history_runs_forward_and_covers_no_second_twice(
    reports: list[tuple[int, float, float]],
) -> None:
    total, now, covered = Steps(), AT, 0.0
    state: LotState | None = None
    for seq, (free, off_s, gap_s) in enumerate(reports, 1):
        now += timedelta(seconds=gap_s)
        report = CountReport(
            epoch=1, seq=seq, observed_at=now + timedelta(seconds=off_s), free=free
        )
        after = advance(LOT, state, report, now)
        kept, newest = deepcopy(total.by_key), state.history_at if state else now - 200 * DAYS
        steps = Steps()
        steps.record(LOT, state, after)
        total.by_key.update(total.merged(steps))
        if state is not None:
            assert after.history_at >= state.history_at
            live_until = state.observed_at + timedelta(seconds=LIVE_S)
            held = min(after.history_at, live_until) - state.history_at
            covered += max(0.0, held.total_seconds())
        for key, before in kept.items():
            if key[1] + STEP_S <= newest.timestamp():
                assert total.by_key[key] == before
        assert after.history_at <= now
        state = after
    assert sum(step.covered_s for step in total.by_key.values()) == pytest.approx(covered, abs=1e-4)
    for one in total.by_key.values():
        assert 0 <= one.covered_s <= STEP_S
        assert one.free_min <= one.free_last <= one.free_max
        if one.covered_s:
            assert one.free_min <= one.free_space_s / one.covered_s <= one.free_max
        assert 0 <= one.free_space_s <= one.known_space_s <= one.space_s


DAYS = timedelta(days=10)


def test_an_operator_cannot_write_into_a_past_that_its_history_holds() -> None:
    """A clock put back a month, then many reports that would each cover the same seconds."""
    first = CountReport(epoch=1, seq=1, observed_at=AT, free=3)
    state, steps = advance(LOT, None, first, AT), Steps()
    steps.record(LOT, None, state)
    for seq in range(2, 50):
        now = at(seq)
        told = AT - timedelta(days=30) + timedelta(seconds=150 * (seq % 3))
        after = advance(LOT, state, CountReport(epoch=1, seq=seq, observed_at=told, free=9), now)
        steps.record(LOT, state, after)
        state = after
    assert set(steps.by_key) == {("gates", int(AT.timestamp()))}
    assert steps.by_key["gates", int(AT.timestamp())].covered_s == 0


def test_what_was_long_ago_when_it_came_does_not_count_as_of_now() -> None:
    first = CountReport(epoch=1, seq=1, observed_at=AT, free=3)
    late = CountReport(epoch=1, seq=2, observed_at=AT - timedelta(days=7), free=40)
    last = CountReport(epoch=1, seq=3, observed_at=at(120), free=3)
    one = advance(LOT, None, first, AT)
    two = advance(LOT, one, late, at(60))
    three = advance(LOT, two, last, at(120))
    steps = Steps()
    for before, after in ((None, one), (one, two), (two, three)):
        steps.record(LOT, before, after)
    step = steps.by_key["gates", int(AT.timestamp())]
    assert (step.free_min, step.free_max, step.covered_s) == (3, 3, 0)


def test_a_lot_that_starts_with_last_years_recording_has_its_history() -> None:
    steps, state = Steps(), None
    for minute in range(12):
        told = AT - timedelta(days=365) + timedelta(minutes=minute)
        report = CountReport(epoch=1, seq=minute + 1, observed_at=told, free=minute)
        after = advance(LOT, state, report, at(minute / 100))
        steps.record(LOT, state, after)
        state = after
    covered = sorted((key[1], one.covered_s) for key, one in steps.by_key.items())
    assert [seconds for _, seconds in covered] == [300, 300, 60]
