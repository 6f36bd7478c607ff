from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pricing.mechanism import (
    Mechanism,
    MissingStateError,
    PriceState,
    Proposal,
    Reading,
    UnknownBandError,
    review,
)
from pricing.mechanism_rules import Reason, Rule

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


@pytest.mark.parametrize(
    ("occupancy", "after", "reason"),
    [
        # Of 50 spaces the band ends at 0.847: prices rest from 0.667 to 0.827.
        (0.70, 400, Reason.IN_BAND),
        (0.99, 460, Reason.FULL),  # 16 % is 4.64: the mark below
        (0.877, 430, Reason.FULL),  # half the distance, 8 % is 4.32
        (0.10, 300, Reason.IDLE),  # 25 %
        (0.60, 340, Reason.IDLE),  # two thirds of it: 3.34, the mark above
        (0.830, 400, Reason.GRID),  # 0.5 % of 4.00 is less than 0.10
    ],
)
def test_ours_moves_in_proportion(occupancy: float, after: int, reason: Reason) -> None:
    proposal = _after(_mechanism(), occupancy, 400)
    assert (proposal.after_minor, proposal.reason) == (after, reason)


def test_ours_knows_the_size_of_the_lot() -> None:
    mechanism, state = _mechanism(), PriceState("day", None, 400)
    at_three_quarters = replace(READ, occupancy=0.75)
    small = _one(mechanism, replace(at_three_quarters, spaces=12), state)
    large = _one(mechanism, replace(at_three_quarters, spaces=300), state)
    assert small.after_minor > 400
    assert large.held
    assert [small.band.lower, small.band.upper] == pytest.approx([0.5, 0.70])
    assert [large.band.lower, large.band.upper] == pytest.approx([0.7, 0.90])


def test_a_change_of_direction_is_watched_first() -> None:
    assert _after(_mechanism(), 0.62, 400, direction=1).reason is Reason.WATCH
    assert _after(_mechanism(), 0.62, 400, direction=-1).after_minor < 400
    assert _after(_mechanism(), 0.59, 400, direction=1).after_minor < 400


def test_blocked_arrivals_raise_a_price_that_the_mean_would_keep() -> None:
    proposal = _one(_mechanism(), replace(READ, pressure=0.2), PriceState("day", None, 400))
    assert (proposal.reason, proposal.after_minor) == (Reason.BLOCKED, 460)
    assert "20.0 %" in proposal.text.en
    assert "20.0%" in proposal.text.zh


def test_idle_spaces_beside_a_full_lot_get_cheaper() -> None:
    beside = replace(READ, occupancy=0.68, pressure_beside=0.3)
    assert _one(_mechanism(), beside, PriceState("day", None, 400)).reason is Reason.BESIDE_FULL
    fuller = replace(beside, occupancy=0.78)
    assert _one(_mechanism(), fuller, PriceState("day", None, 400)).held


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
    assert (summer.before_minor, summer.after_minor) == (400, 460)
    assert (winter.after_minor, winter.reason) == (300, Reason.OUT_OF_SEASON)
    in_january = datetime(2026, 1, 5, tzinfo=UTC)
    _, winter = review(mechanism, read, states, in_january)
    assert winter.after_minor == 340
    assert winter.applied(in_january) == PriceState("day", "winter", 340, 1, in_january)


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
    proposal = _one(_mechanism(step_up_percent=25), reading, state)
    assert abs(proposal.after_minor - state.price_minor) * 4 <= state.price_minor


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
    assert proposal.held
    assert proposal.reason is Reason.FROZEN
    assert proposal.applied(AT) == state


@given(READINGS, STATES)
def test_coming_back_under_changed_limits_ends_inside_them(
    reading: Reading, state: PriceState
) -> None:
    seen = replace(reading, coverage=1.0)
    proposal = _one(_mechanism(floor_minor=300, ceiling_minor=500), seen, state)
    assert 300 <= proposal.after_minor <= 500
