from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pricing.mechanism.document import Mechanism
from pricing.mechanism.erlang import busy_share
from pricing.mechanism.review import (
    MissingStateError,
    PriceState,
    Proposal,
    Reading,
    UnknownBandError,
    review,
)
from pricing.mechanism.rules import Band, Reason, Rule, resting, size_aware_band

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


# One space blocks a / (1 + a) of the load a, and is busy for the same share: at occupancy u the
# demand is u / (1 - u). The aim is 0.5, where half are turned away; prices rest from 0.44 on, where
# the demand is 0.44 / 0.56 = 0.786, to 0.5, where it is 1.
ONE_SPACE = {"target": {"lower_percent": 30, "upper_percent": 52}}


@pytest.mark.parametrize(
    ("occupancy", "pressure", "after", "reason"),
    [
        (0.50, 0.45, 400, Reason.IN_BAND),  # demand 0.5 / 0.55 = 0.909
        (0.44, 0.43, 400, Reason.GRID),  # 0.772: 1.8 % lacking, 2.2 % of 4.00 is less than 0.10
        (0.44, 0.45, 400, Reason.IN_BAND),  # 0.8
        (0.52, 0.62, 500, Reason.FULL),  # 1.368: more than 30 % above, a quarter
        (0.46, 0.60, 450, Reason.BLOCKED),  # 1.15: half of it, an eighth
        (0.51, 0.50, 400, Reason.GRID),  # 1.02: 1.7 % of 4.00 is less than 0.10
        (0.30, 0.40, 300, Reason.IDLE),  # 0.5: more than 20 % lacking, a quarter
        (0.3532, 0.50, 350, Reason.IDLE),  # 0.706: 10.1 % lacking, 12.6 %: 3.495, the mark above
    ],
)
def test_ours_moves_in_proportion_to_demand(
    occupancy: float, pressure: float, after: int, reason: Reason
) -> None:
    read = replace(READ, spaces=1, occupancy=occupancy, pressure=pressure)
    proposal = _one(_mechanism(**ONE_SPACE), read, PriceState("day", None, 400))
    assert (proposal.after_minor, proposal.reason) == (after, reason)


def test_demand_that_was_not_measured_is_erlangs() -> None:
    # 0.55 / 0.45 = 1.222: 22.2 % above, three quarters of a step: 18.5 % of 4.00 is 0.74.
    read = replace(READ, spaces=1, occupancy=0.55)
    proposal = _one(_mechanism(**ONE_SPACE), read, PriceState("day", None, 400))
    assert proposal.after_minor == 470


def test_steps_and_aim_are_the_mechanisms() -> None:
    full, idle = replace(READ, occupancy=0.99), replace(READ, occupancy=0.1)
    small = _mechanism(step_up_percent=16, step_down_percent=10)
    state = PriceState("day", None, 400)
    assert _one(small, full, state).after_minor == 460  # 16 % is 0.64: the mark below
    assert _one(small, idle, state).after_minor == 360
    assert _one(_mechanism(), full, state).after_minor == 500
    # 50 spaces turn 1.2 % away at 0.76: less than 60 / 50 of 0.6 / 50, more than of 0.2 / 50.
    at_the_aim = replace(READ, occupancy=0.76, pressure=0.012)
    assert _stays(_one(_mechanism(), at_the_aim, state))
    assert _one(_mechanism(turned_away_percent=20), at_the_aim, state).after_minor > 400


def test_ours_knows_the_size_of_the_lot() -> None:
    mechanism, state = _mechanism(), PriceState("day", None, 400)
    at_four_fifths = replace(READ, occupancy=0.80)
    small = _one(mechanism, replace(at_four_fifths, spaces=12), state)
    large = _one(mechanism, replace(at_four_fifths, spaces=300), state)
    assert small.after_minor > 400
    assert _stays(large)
    assert [small.band.lower, small.band.upper] == pytest.approx([0.5, 0.70])
    assert [large.band.lower, large.band.upper] == pytest.approx([0.7, 0.90])


def test_a_change_of_direction_is_watched_first() -> None:
    # The band of 50 spaces is 0.646 to 0.846: to fall takes less than 0.496 after a rise.
    watched = _after(_mechanism(), 0.51, 400, direction=1)
    assert watched.reason is Reason.WATCH
    assert "(5 points to rise, 15 to fall)" in watched.text.en
    assert _after(_mechanism(), 0.51, 400, direction=-1).after_minor < 400
    assert _after(_mechanism(), 0.49, 400, direction=1).after_minor < 400
    # To rise after a fall takes the demand behind 0.57, with one space 0.57 / 0.43 = 1.326.
    one_space, fell = _mechanism(**ONE_SPACE), PriceState("day", None, 400, direction=-1)
    busy = replace(READ, spaces=1, occupancy=0.50, pressure=0.60)  # 1.25
    assert _one(one_space, busy, fell).reason is Reason.WATCH
    assert _one(one_space, replace(busy, occupancy=0.54), fell).after_minor == 500  # 1.35


def test_blocked_arrivals_raise_a_price_that_the_mean_would_keep() -> None:
    proposal = _one(_mechanism(), replace(READ, pressure=0.35), PriceState("day", None, 400))
    # 0.7 / 0.65 is 1.08: more than 30 % above the demand at the aim, which is below 0.8.
    assert (proposal.reason, proposal.after_minor) == (Reason.BLOCKED, 500)
    assert "35.0 %" in proposal.text.en
    assert "35.0%" in proposal.text.zh


@pytest.mark.parametrize(
    ("beside", "after", "reason"),
    [
        (None, 400, Reason.IN_BAND),
        (0.0, 400, Reason.IN_BAND),
        # Half way to full: prices rest from 0.595 to 0.635, demand 0.595 / 0.405 = 1.47.
        (0.15, 300, Reason.BESIDE_FULL),
        (0.3, 300, Reason.BESIDE_FULL),
        (1.0, 300, Reason.BESIDE_FULL),
    ],
)
def test_room_beside_full_lots_gets_cheaper(
    beside: float | None, after: int, reason: Reason
) -> None:
    mechanism = _mechanism(target={"lower_percent": 30, "upper_percent": 80})
    read = replace(READ, spaces=1, occupancy=0.5, pressure=0.45, pressure_beside=beside)
    proposal = _one(mechanism, read, PriceState("day", None, 400))
    assert (proposal.after_minor, proposal.reason) == (after, reason)


def test_where_prices_rest() -> None:
    assert resting(1, Band(0.30, 0.52)) == pytest.approx((0.44, 0.50))
    assert resting(1, Band(0.30, 0.80)) == pytest.approx((0.44, 0.50))
    assert resting(1, Band(0.30, 0.80), pressure_beside=0.15) == pytest.approx((0.595, 0.635))
    assert resting(1, Band(0.30, 0.80), pressure_beside=0.9) == pytest.approx((0.75, 0.77))
    # 0.6 of 300 are turned away at 0.876, of 100 at 0.812; of 30 twice as many, 4 %, at 0.768: but
    # 2 points below the end of the band, which is where 5 % are, is 0.765.
    assert resting(300, size_aware_band(300)).upper == pytest.approx(busy_share(300, 0.002))
    assert resting(100, size_aware_band(100)).upper == pytest.approx(busy_share(100, 0.006))
    assert resting(30, size_aware_band(30)).upper == pytest.approx(
        min(busy_share(30, 0.04), busy_share(30, 0.05) - 0.02)
    )
    # Never outside the band, never upside down.
    assert resting(1, Band(0.45, 0.60)) == pytest.approx((0.47, 0.50))
    assert resting(300, Band(0.10, 0.20)) == pytest.approx((0.12, 0.18))
    assert resting(300, Band(0.10, 0.11)) == pytest.approx((0.1025, 0.1075))
    assert resting(1, Band(0.01, 0.02), pressure_beside=1.0) == pytest.approx((0.0125, 0.0175))


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
    assert (summer.before_minor, summer.after_minor) == (400, 500)
    assert (winter.after_minor, winter.reason) == (300, Reason.OUT_OF_SEASON)
    in_january = datetime(2026, 1, 5, tzinfo=UTC)
    _, winter = review(mechanism, read, states, in_january)
    assert (winter.before_minor, winter.after_minor) == (300, 370)  # 3.75: the mark below
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
