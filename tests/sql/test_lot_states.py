"""A lot's state when its registration changes, and what it is worth by its age."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sql.lot_states import (
    Lot,
    LotState,
    ReportTimes,
    counted,
    data_state,
    fitted,
    live_for,
    sensed,
    stale_for,
)

AT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
TIMES = ReportTimes(AT, AT, AT)


def bays(capacity: int, ev: int = 0) -> Lot:
    standard = (1 << capacity) - 1 & ~ev
    return Lot("a", "op-a", "bays", capacity, 600, class_masks=(standard, 0, ev, 0))


def gates(capacity: int) -> Lot:
    return Lot("a", "op-a", "count", capacity, 600)


def state_of(capacity: int, occupied: int, unknown: int = 0) -> LotState:
    return sensed(bays(capacity), (7, 3), occupied, unknown, TIMES)


def told(state: LotState) -> tuple[int, int, int]:
    return state.capacity, state.free_spaces, state.unknown_spaces


def test_capacity_lowered_while_bays_are_taken() -> None:
    """Eight bays, the first five occupied; five stay: none of them is free."""
    state = fitted(bays(5), state_of(8, 0b0001_1111))
    assert told(state) == (5, 0, 0)
    assert state.is_full
    assert (state.occupied, state.unknown) == (0b1_1111, 0)


def test_capacity_raised_leaves_the_new_bays_unknown() -> None:
    state = fitted(bays(8), state_of(5, 0b00001))
    assert told(state) == (8, 4, 3)
    assert (state.occupied, state.unknown) == (0b1, 0b1110_0000)


def test_classes_changed_are_counted_anew() -> None:
    before = state_of(8, 0b1)
    assert before.free_by_class == (7, 0, 0, 0)
    assert fitted(bays(8, ev=0b11), before).free_by_class == (6, 0, 1, 0)


def test_of_a_lot_that_changes_how_it_reports_nothing_is_known() -> None:
    before = state_of(8, 0b1)
    now = fitted(gates(6), before)
    assert (told(now), now.nothing_known) == ((6, 0, 6), True)
    assert (now.occupied, now.unknown, now.free_by_class) == (None, None, None)
    assert (now.order, now.observed_at) == (before.order, AT)
    again = fitted(bays(6), now)
    assert (again.occupied, again.unknown, again.free_by_class) == (0, 0b11_1111, (0, 0, 0, 0))
    # Before it has counted, its capacity is still the registered one.
    assert told(fitted(gates(9), now)) == (9, 0, 9)


def test_a_lot_that_counts_and_loses_spaces_knows_only_what_must_be() -> None:
    before = counted((7, 3), 50, 5, 0, TIMES)
    # Of 45 taken and 5 free, 2 are lost: 43 taken and 3 free at least.
    assert told(fitted(gates(48), before)) == (48, 3, 2)
    assert told(fitted(gates(50), before)) == told(fitted(gates(80), before)) == (50, 5, 0)
    half = counted((7, 3), 50, 25, 0, TIMES)
    assert fitted(gates(20), half).nothing_known


lots = st.one_of(
    st.integers(1, 40).map(gates),
    st.tuples(st.integers(1, 40), st.integers(0, 2**40 - 1)).map(
        lambda drawn: bays(drawn[0], drawn[1] & ((1 << drawn[0]) - 1))
    ),
)


@given(st.lists(lots, min_size=2, max_size=6), st.data())
def test_a_fitted_state_fits_whatever_it_was_before(chain: list[Lot], data: st.DataObject) -> None:
    first = chain[0]
    free = data.draw(st.integers(0, first.capacity))
    occupied = data.draw(st.integers(0, first.all_bays))
    state = (
        counted((7, 3), first.capacity, free, 0, TIMES)
        if first.reporting == "count"
        else sensed(first, (7, 3), occupied, first.all_bays & ~occupied & (free * 7), TIMES)
    )
    for lot in chain:
        state = fitted(lot, state)
        assert fitted(lot, state) == state
        assert state.capacity <= lot.capacity
        assert 0 <= state.free_spaces <= state.known_spaces <= state.capacity
        assert (state.occupied is None) == (lot.reporting == "count")
        if state.occupied is not None and state.unknown is not None:
            assert state.capacity == lot.capacity
            assert not state.occupied & state.unknown
            assert (state.occupied | state.unknown) <= lot.all_bays
            assert sum(state.free_by_class or ()) == state.free_spaces
        assert (state.order, state.observed_at, state.history_at) == ((7, 3), AT, AT)


@pytest.mark.parametrize(
    ("interval_s", "live_s", "stale_s"),
    [(10, 90, 900), (60, 90, 900), (61, 91.5, 900), (300, 450, 900), (301, 451.5, 903)],
)
async def test_what_a_state_is_worth_is_the_same_in_memory_and_in_sql(
    database_url: str, interval_s: int, live_s: float, stale_s: float
) -> None:
    assert (live_for(interval_s), stale_for(interval_s)) == (
        timedelta(seconds=live_s),
        timedelta(seconds=stale_s),
    )
    moment = timedelta(microseconds=1)
    ages = [timedelta(0), -moment, live_for(interval_s), stale_for(interval_s), timedelta(days=9)]
    ages += [age + moment for age in ages[2:4]]
    db = await asyncpg.connect(database_url)
    async with db.transaction():
        now = await db.fetchval("SELECT now()")
        for age in ages:
            in_sql = await db.fetchval("SELECT data_state($1, $2)", now - age, interval_s)
            assert in_sql == data_state(now - age, interval_s, now)
        assert [data_state(now - age, interval_s, now) for age in ages] == [
            "live", "live", "live", "stale", "unknown", "stale", "unknown"
        ]  # fmt: skip
        assert await db.fetchval("SELECT data_state(null, 60)") == data_state(None, 60, now)
    await db.close()
