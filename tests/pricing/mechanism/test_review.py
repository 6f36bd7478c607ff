from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pricing.mechanism.document import Mechanism
from pricing.mechanism.erlang import blocked_share, load_behind
from pricing.mechanism.review import (
    MissingStateError,
    PriceState,
    Proposal,
    Reading,
    UnknownBandError,
    review,
)
from pricing.mechanism.rules import Band, Reason, Rule, longest_full, resting

AT = datetime(2026, 7, 1, 2, tzinfo=UTC)
READ = Reading("day", None, occupancy=0.7, coverage=1.0, spaces=50)
SHARES = st.floats(0, 1)


def _mechanism(**changes: Any) -> Mechanism:
    fields: dict[str, Any] = {
        "id": "m-1",
        "zone_id": "z-1",
        "lot_types": ["on_street"],
        "time_bands": [{"id": "day", "days": "all", "start": "08:00", "end": "20:00"}],
        "floor_minor": 100,
        "ceiling_minor": 1200,
    }
    return Mechanism.model_validate(fields | changes)


def _stays(proposal: Proposal) -> bool:
    return proposal.after_minor == proposal.before_minor == proposal.state.price_minor


def _one(mechanism: Mechanism, reading: Reading, state: PriceState) -> Proposal:
    (proposal,) = review(mechanism, [reading], [state], AT)
    return proposal


def _after(mechanism: Mechanism, occupancy: float, price: int, direction: int = 0) -> Proposal:
    state = PriceState("day", None, price, direction, AT - timedelta(days=28))
    return _one(mechanism, replace(READ, occupancy=occupancy), state)


@pytest.mark.parametrize(
    ("occupancy", "before", "after"),
    [
        (0.80, 400, 450),
        (0.7999, 400, 400),
        (0.60, 400, 400),
        (0.5999, 400, 350),
        (0.9, 190, 200),
        (0.1, 190, 180),
        (0.9, 200, 250),
        (0.1, 200, 150),
        (0.9, 1180, 1200),
        (0.1, 100, 100),
    ],
)
def test_the_baseline(occupancy: float, before: int, after: int) -> None:
    assert _after(_mechanism(rule="sfpark"), occupancy, before).after_minor == after


# The band of 100 spaces is 0.70 to 0.90; they may be full for 5 % of the time.
HUNDRED = replace(READ, spaces=100)


@pytest.mark.parametrize(
    ("occupancy", "pressure", "after", "reason"),
    [
        (0.86, 0.05, 400, Reason.IN_BAND),  # for as long as may be
        (0.81, 0.10, 440, Reason.BLOCKED),  # twice as long: half of a step of a fifth
        (0.81, 0.20, 480, Reason.BLOCKED),  # four times: the whole step
        (0.81, 0.50, 480, Reason.BLOCKED),  # no more
        (0.79, 0.50, 400, Reason.IN_BAND),  # full now and then, and half empty otherwise
        (0.925, 0.04, 440, Reason.FULL),  # half of 5 points above the band
        (0.98, 0.04, 480, Reason.FULL),
        (0.925, 0.20, 480, Reason.BLOCKED),  # the greater need
        (0.80, 0.0125, 400, Reason.IN_BAND),  # for a quarter as long: left alone
        (0.75, 0.0124, 380, Reason.IDLE),  # 10 of 20 points lacking: 6 % of 4.00, the mark above
        (0.60, 0.0, 360, Reason.IDLE),  # the whole step: 12 %, the mark above
        (0.60, 0.02, 400, Reason.IN_BAND),  # empty on the mean, but full when it matters
        (0.85, 0.0, 400, Reason.IN_BAND),
        (0.84, 0.0, 400, Reason.GRID),  # 1 of 20 points: less than a mark
    ],
)
def test_ours_looks_at_the_time_that_a_lot_is_full(
    occupancy: float, pressure: float, after: int, reason: Reason
) -> None:
    target = {"lower_percent": 70, "upper_percent": 90}
    read = replace(HUNDRED, occupancy=occupancy, pressure=pressure)
    proposal = _one(_mechanism(target=target), read, PriceState("day", None, 400))
    assert (proposal.after_minor, proposal.reason) == (after, reason)


def test_the_mean_of_a_day_does_not_hide_its_noon() -> None:
    """Two lots of the same mean: one even, one full at noon and half empty otherwise."""
    even, noon = (replace(HUNDRED, occupancy=0.81, pressure=full) for full in (0.0, 0.15))
    state = PriceState("day", None, 600)
    assert _one(_mechanism(), even, state).after_minor < 600
    assert _one(_mechanism(), noon, state).after_minor > 600


def test_time_full_that_was_not_measured_is_erlangs() -> None:
    # One space is full for as long as it is busy.
    read = replace(READ, spaces=1, occupancy=0.45)
    one_space = _mechanism(target={"lower_percent": 30, "upper_percent": 52})
    state = PriceState("day", None, 400)
    assert _one(one_space, read, state) == replace(
        _one(one_space, replace(read, pressure=0.45), state), reading=read, text=ANY
    )
    many = replace(HUNDRED, occupancy=0.88)
    full = blocked_share(100, load_behind(100, 0.88))
    assert 0.015 < full < 0.05
    state = PriceState("day", None, 400)
    strict = _mechanism(turned_away_percent=100)
    measured = _one(strict, replace(many, pressure=full), state)
    assert _one(strict, many, state).after_minor == measured.after_minor > 400


def test_steps_and_aim_are_the_mechanisms() -> None:
    full, idle = (replace(HUNDRED, occupancy=each, pressure=0) for each in (0.99, 0.1))
    small = _mechanism(step_up_percent=16, step_down_percent=10)
    state = PriceState("day", None, 400)
    assert _one(small, full, state).after_minor == 460  # 16 % is 0.64: the mark below
    assert _one(small, idle, state).after_minor == 360
    assert _one(_mechanism(), full, state).after_minor == 480
    for percent, after in ((500, 400), (100, 480), (400, 400), (200, 440)):
        read = replace(HUNDRED, occupancy=0.85, pressure=0.04)
        assert _one(_mechanism(turned_away_percent=percent), read, state).after_minor == after


def test_ours_knows_the_size_of_the_lot() -> None:
    mechanism, state = _mechanism(), PriceState("day", None, 400)
    at_four_fifths = replace(READ, occupancy=0.80, pressure=0.03)
    small, middle, large = (
        _one(mechanism, replace(at_four_fifths, spaces=spaces), state) for spaces in (12, 100, 300)
    )
    assert [small.band.lower, small.band.upper] == pytest.approx([0.5, 0.70])
    assert [large.band.lower, large.band.upper] == pytest.approx([0.7, 0.90])
    assert (small.reason, middle.reason, large.reason) == (
        Reason.FULL,  # of its band
        Reason.IN_BAND,  # 5 % of the time
        Reason.BLOCKED,  # 1.7 % of it
    )
    assert [longest_full(spaces) for spaces in (300, 100, 5)] == pytest.approx([1 / 60, 0.05, 0.5])
    with pytest.raises(ValueError, match="space"):
        longest_full(0)


def test_a_change_of_direction_is_watched_first() -> None:
    # The band of 50 spaces is 0.646 to 0.846: to fall takes less than 0.396 after a rise.
    watched = _after(_mechanism(), 0.41, 400, direction=1)
    assert watched.reason is Reason.WATCH
    assert "5 points above" in watched.text.en
    assert _after(_mechanism(), 0.41, 400, direction=-1).after_minor < 400
    assert _after(_mechanism(), 0.39, 400, direction=1).after_minor < 400
    # To rise after a fall takes eight times 5 % without a space, or 5 points above the band.
    fell, rose = (PriceState("day", None, 400, direction) for direction in (-1, 1))
    for pressure, occupancy, reason in (
        (0.40, 0.85, Reason.WATCH),
        (0.41, 0.85, Reason.BLOCKED),
        (0.0, 0.93, Reason.WATCH),
        (0.0, 0.96, Reason.FULL),
    ):
        read = replace(HUNDRED, occupancy=occupancy, pressure=pressure)
        assert _one(_mechanism(), read, fell).reason is reason
        assert _one(_mechanism(), read, rose).after_minor > 400


def test_reasons_tell_what_was_read() -> None:
    read = replace(HUNDRED, occupancy=0.85, pressure=0.35)
    proposal = _one(_mechanism(), read, PriceState("day", None, 400))
    assert proposal.text.en == (
        "No space is free for 35.0 % of the time, which may be 5.0 %: dearer."
    )
    assert "35.0%" in proposal.text.zh
    assert "5.0%" in proposal.text.zh


def test_where_prices_rest() -> None:
    assert resting(Band(0.30, 0.52)) == pytest.approx((0.47, 0.52))
    # Half of a narrow band.
    assert resting(Band(0.10, 0.16)) == pytest.approx((0.13, 0.16))


@pytest.mark.parametrize("rule", list(Rule))
def test_it_waits_for_the_interval_and_for_coverage(rule: Rule) -> None:
    mechanism, full = _mechanism(rule=rule), replace(READ, occupancy=0.99)
    recent = PriceState("day", None, 400, 1, AT - timedelta(days=28, microseconds=-1))
    assert _one(mechanism, full, recent).reason is Reason.TOO_SOON
    half_seen = replace(full, coverage=0.899)
    assert _one(mechanism, half_seen, PriceState("day", None, 400)).reason is Reason.COVERAGE
    unseen = replace(full, occupancy=float("nan"), coverage=float("nan"))
    assert _one(mechanism, unseen, PriceState("day", None, 400)).reason is Reason.COVERAGE


def test_each_season_has_its_own_state() -> None:
    seasons = [
        {"id": "summer", "from": "05-01", "to": "10-31"},
        {"id": "winter", "from": "11-01", "to": "04-30"},
    ]
    mechanism = _mechanism(seasons=seasons)
    states = [PriceState("day", "summer", 400), PriceState("day", "winter", 300)]
    read = [replace(READ, season=name, occupancy=0.99) for name in ("summer", "winter")]
    summer, winter = review(mechanism, read, states, AT)
    assert (summer.before_minor, summer.after_minor) == (400, 480)
    assert (winter.after_minor, winter.reason) == (300, Reason.OUT_OF_SEASON)
    in_january = datetime(2026, 1, 5, tzinfo=UTC)
    _, winter = review(mechanism, read, states, in_january)
    assert (winter.before_minor, winter.after_minor) == (300, 360)
    assert winter.state == PriceState("day", "winter", 300)


def test_what_it_does_not_know_is_refused() -> None:
    with pytest.raises(UnknownBandError, match="night"):
        _one(_mechanism(), replace(READ, time_band="night"), PriceState("night", None, 400))
    with pytest.raises(UnknownBandError, match="summer"):
        _one(_mechanism(), replace(READ, season="summer"), PriceState("day", "summer", 400))
    with pytest.raises(MissingStateError, match="day"):
        review(_mechanism(), [READ], [], AT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"floor_minor": 1300},
        {"ceiling_minor": 1205},
        {"step_up_percent": 26},
        {"turned_away_percent": 0},
        {"turned_away_percent": 5001},
        {"rule": "sfpark", "target": {"lower_percent": 50, "upper_percent": 70}},
        {"target": {"lower_percent": 70, "upper_percent": 70}},
        {"lot_types": []},
        {"surprise": 1},
    ],
)
def test_a_mechanism_must_be_coherent(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _mechanism(**wrong)


READINGS = st.builds(
    Reading,
    st.just("day"),
    st.none(),
    SHARES,
    SHARES.map(lambda share: 0.8 + share / 5),
    st.integers(1, 600),
    st.none() | SHARES,
    st.none() | SHARES,
)
STATES = st.builds(
    PriceState, st.just("day"), st.none(), st.integers(10, 120).map(lambda marks: 10 * marks),
    st.sampled_from([-1, 0, 1]), st.none(),
)  # fmt: skip


@given(READINGS, STATES, st.sampled_from(list(Rule)))
def test_neither_floor_nor_ceiling_is_crossed(
    reading: Reading, state: PriceState, rule: Rule
) -> None:
    proposal = _one(_mechanism(rule=rule), reading, state)
    assert 100 <= proposal.after_minor <= 1200
    assert proposal.after_minor % 10 == 0
    assert proposal.text.zh
    assert proposal.text.en


@given(READINGS, STATES)
def test_ours_never_moves_more_than_a_quarter(reading: Reading, state: PriceState) -> None:
    proposal = _one(_mechanism(), reading, state)
    assert abs(proposal.after_minor - state.price_minor) * 4 <= state.price_minor


@given(READINGS, STATES, SHARES)
def test_a_lot_that_is_full_for_longer_is_never_proposed_a_lower_price(
    reading: Reading, state: PriceState, more: float
) -> None:
    pressure = reading.pressure or 0.0
    shorter = replace(reading, pressure=pressure)
    longer = replace(reading, pressure=pressure + more * (1 - pressure))
    less_full = _one(_mechanism(), shorter, state).after_minor
    assert _one(_mechanism(), longer, state).after_minor >= less_full


@given(READINGS, STATES, SHARES)
def test_a_fuller_lot_is_never_proposed_a_lower_price(
    reading: Reading, state: PriceState, more: float
) -> None:
    fuller = replace(reading, occupancy=reading.occupancy + more * (1 - reading.occupancy))
    for rule in Rule:
        mechanism = _mechanism(rule=rule)
        less_full = _one(mechanism, reading, state).after_minor
        assert _one(mechanism, fuller, state).after_minor >= less_full


@given(READINGS, STATES, st.sampled_from(list(Rule)))
def test_a_frozen_mechanism_proposes_nothing(
    reading: Reading, state: PriceState, rule: Rule
) -> None:
    proposal = _one(_mechanism(rule=rule, mode="frozen"), reading, state)
    assert _stays(proposal)
    assert proposal.reason is Reason.FROZEN
    assert proposal.state == state


@given(READINGS, STATES)
def test_coming_back_under_changed_limits_ends_inside_them(
    reading: Reading, state: PriceState
) -> None:
    seen = replace(reading, coverage=1.0)
    proposal = _one(_mechanism(floor_minor=300, ceiling_minor=500), seen, state)
    assert 300 <= proposal.after_minor <= 500
