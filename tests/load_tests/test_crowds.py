"""Where drivers are second by second, and the search for the highest load."""

import pytest

from load_tests.crowds import match, morning
from load_tests.search import MOST_PER_S, Search
from tests.load_tests.builders import BAYS, GATES

LOTS = (BAYS, GATES)


def test_the_morning_rises_at_its_own_rates() -> None:
    arrivals, departures = morning(LOTS, 40, seed=1)
    assert (len(arrivals), len(departures)) == (40, 40)
    totals = [sum(row) for row in arrivals]
    # A mall: hardly anyone at six, its customers by ten.
    assert totals[-1] > 4 * totals[0] > 0
    assert all(left >= 0 for row in departures for left in row)
    # No faster than on a real morning: fifty-four spaces fill in hours.
    assert max(totals) < 54 / 1800


def test_after_a_match_the_crowd_asks_at_one_place() -> None:
    rows = match(LOTS, 100, everyday_per_s=10.0, crowd_per_s=90.0)
    totals = [sum(row) for row in rows]
    assert totals[0] == pytest.approx(10.0)
    assert max(totals) == pytest.approx(100.0)
    assert 10.0 < totals[-1] < 20.0
    # All at the lot where the sights are.
    assert {row[1] for row in rows} == {rows[0][1]}


def limit_of(limit_per_s: float, search: Search) -> list[float]:
    tried = []
    while not search.is_over:
        tried.append(search.per_s)
        search.note(held=search.per_s <= limit_per_s)
    return tried


def test_the_search_closes_in_on_the_highest_load() -> None:
    search = Search(200.0)
    tried = limit_of(800.0, search)
    assert tried[:3] == [200.0, 300.0, 450.0]
    # Between 675 and 1,012.5, to an eighth of that.
    assert 750 < search.held_per_s <= 800
    assert len(tried) < 20


def test_a_rate_gets_a_second_try() -> None:
    search = Search(200.0)
    search.note(held=False)
    assert search.per_s == 200.0
    search.note(held=True)
    assert (search.held_per_s, search.per_s) == (200.0, 300.0)


def test_a_load_that_is_always_held_ends_the_search() -> None:
    search = Search(200.0)
    limit_of(float("inf"), search)
    assert search.held_per_s == MOST_PER_S


def test_a_load_that_is_never_held_ends_the_search() -> None:
    search = Search(200.0)
    limit_of(0.0, search)
    assert search.held_per_s == 0.0
