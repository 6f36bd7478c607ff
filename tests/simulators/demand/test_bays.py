"""Bays: the same at any speed, each taken once, near ones and plain ones more often."""

import numpy as np

from simulators.demand.bays import Demand
from simulators.registry import Lot
from tests.simulators.demand.cities import HOUR_S, OFFSET_S, at, city, lot

START = "2026-11-23T08:00"


def demand(lots: list[Lot], seed: int = 1, start: str = START, **more: object) -> Demand:
    return Demand(lots, at(start), seed=seed, utc_offset_s=OFFSET_S, **more)  # type: ignore[arg-type]


def test_the_same_bays_at_any_speed() -> None:
    start = at("2026-11-23T08:00:03")
    runs = [demand(city("market", 20, 60), start="2026-11-23T08:00:03") for _ in range(3)]
    changed = []
    for run, call_s in zip(runs, (1, 60, 3_600), strict=True):
        before = run.occupied.copy()
        for calls in range(1, 2 * HOUR_S // call_s + 1):
            run.advance_to(start + calls * call_s)
        assert run.now_s == start + 2 * HOUR_S
        changed.append(np.flatnonzero(before != run.occupied).tolist())
        assert run.occupied.tolist() == runs[0].occupied.tolist()
    assert changed[0] == changed[1] == changed[2] != []
    other = demand(city("market", 20, 60), seed=2)
    other.advance_to(start + 2 * HOUR_S)
    assert other.occupied.tolist() != runs[0].occupied.tolist()


def test_changes_are_the_bays_that_differ() -> None:
    run = demand(city("market"))
    for _ in range(50):
        before = run.occupied.copy()
        changed = run.advance_to(run.now_s + 20.0)
        assert np.array_equal(changed, np.flatnonzero(before != run.occupied))


def test_bays_are_as_many_as_drivers() -> None:
    run = demand(city("office", 30, 40))
    for hours in range(1, 8):
        run.advance_to(at(START) + hours * HOUR_S)
        counts = np.add.reduceat(run.occupied.astype(int), run.offsets[:-1])
        assert counts.tolist() == run.flow.present.tolist()
        assert counts.max() <= 40


def test_preferred_bays_are_taken_more_often() -> None:
    bays = 400
    ranks = np.arange(bays)[::-1]
    plain, ranked = demand([lot("a", bays, "mall")]), demand([lot("a", bays, "mall")], ranks=ranks)
    taken = np.zeros((2, bays))
    for step in range(1, 200):
        for row, run in enumerate((plain, ranked)):
            run.advance_to(at(START) + step * 300)
            taken[row] += run.occupied
    first, last = taken[:, : bays // 4].sum(axis=1), taken[:, -bays // 4 :].sum(axis=1)
    assert first[0] > 1.3 * last[0] > 0
    assert last[1] > 1.3 * first[1] > 0
