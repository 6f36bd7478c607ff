"""Closures: lots that their operators close empty, their drivers go elsewhere, and come back."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulators.demand.bays import Demand
from simulators.demand.closures import CLEARED_S, Closure, read_closure
from simulators.demand.flow import Flow
from simulators.registry import RegistryError
from tests.simulators.demand.cities import HOUR_S, OFFSET_S, STILL, at, lot, parameters

ZONE = ZoneInfo("Asia/Shanghai")
START = "2026-11-24T09:00"
LOTS = [
    lot("works", 300, "office", longitude=120.38, latitude=36.06),
    lot("beside", 900, "office", longitude=120.38, latitude=36.061),
    lot("far", 300, "office", longitude=120.38, latitude=36.2),
]
KNOWN = parameters("office", peak={"mean": 0.6, "sd": 0}, **STILL)
WORKS = Closure("works", at("2026-11-24T10:00"), at("2026-11-24T14:00"))


def flow(*closures: Closure, start: str = START) -> Flow:
    return Flow(LOTS, at(start), seed=1, utc_offset_s=OFFSET_S, parameters=KNOWN, closures=closures)


def demand(*closures: Closure) -> Demand:
    return Demand(
        LOTS, at(START), seed=1, utc_offset_s=OFFSET_S, parameters=KNOWN, closures=closures
    )


def test_a_closed_lot_empties_its_drivers_go_near_and_come_back() -> None:
    plain, closed = flow(), flow(WORKS)
    for run in (plain, closed):
        run.advance_to(WORKS.from_s)
    assert plain.present.tolist() == closed.present.tolist()
    assert closed.present[0] > 100
    before = closed.present[0]
    closed.advance_to(WORKS.from_s + CLEARED_S / 2)
    assert 0 < closed.present[0] < before
    closed.advance_to(WORKS.from_s + CLEARED_S + 300)
    assert closed.present[0] == 0
    assert 0.5 * before < closed.sent_out <= before
    for run in (plain, closed):
        run.advance_to(WORKS.to_s)
    assert closed.present[0] == 0
    assert closed.diverted > 20
    assert closed.turned_away_closed == closed.diverted + closed.lost
    assert closed.present[1] > plain.present[1] + 5
    closed.advance_to(WORKS.to_s + HOUR_S)
    assert closed.present[0] >= 5
    assert plain.sent_out == plain.turned_away_closed == 0


def test_the_same_closures_give_the_same_bays_at_any_speed() -> None:
    runs = [demand(WORKS), demand(WORKS), demand()]
    end_s = WORKS.from_s + HOUR_S
    for instant in np.arange(at(START), end_s, 47.0):
        runs[0].advance_to(float(instant))
    for run in runs:
        run.advance_to(end_s)
    assert np.array_equal(runs[0].occupied, runs[1].occupied)
    assert not runs[0].occupied[:300].any()
    assert runs[2].occupied[:300].sum() > 100
    assert runs[0].flow.sent_out == runs[1].flow.sent_out > 50


def test_a_run_that_begins_within_a_closure_finds_the_lot_empty() -> None:
    run = flow(WORKS, start="2026-11-24T12:00")
    assert run.present[0] == 0
    assert run.present[2] > 50
    run.advance_to(at("2026-11-24T12:05"))
    assert run.sent_out == 0


@pytest.mark.parametrize("step_s", [5, 300])
def test_lots_told_to_be_closed_empty_until_they_are_told_to_be_open(step_s: int) -> None:
    run = flow() if step_s == 300 else demand().flow
    assert run.present[0] > 20
    run.tell_closed({"works", "nowhere"})
    run.advance_to(at(START) + CLEARED_S + 600)
    assert run.present[0] == 0
    assert run.present[2] > 20
    told = run.turned_away_closed
    assert told > 0
    run.tell_closed(())
    run.advance_to(at(START) + 3 * HOUR_S)
    assert run.present[0] > 20


def test_closures_are_read() -> None:
    text = "works,2026-11-24T10:00,2026-11-24T14:00"
    assert read_closure(text, LOTS, ZONE) == WORKS
    assert read_closure("works, 2026-11-24T02:00Z ,2026-11-24T14:00", LOTS, ZONE) == WORKS
    assert read_closure("works,2026-11-24T10:00,", LOTS, ZONE).to_s == float("inf")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("works", "LOT,FROM,TO"),
        ("works,2026-11-24T10:00", "LOT,FROM,TO"),
        ("work,2026-11-24T10:00,", "no simulated lot 'work'; did you mean works"),
        ("works,soon,", "'soon' is no time such as"),
        ("works,2026-11-24T10:00,later", "'later' is no time such as"),
        ("works,2026-11-24T10:00,2026-11-24T10:00", "ends before it begins"),
    ],
)
def test_a_bad_closure_is_named(text: str, named: str) -> None:
    with pytest.raises(RegistryError, match=named):
        read_closure(text, LOTS, ZONE)
