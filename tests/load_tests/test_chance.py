"""Places and arrivals: drawn by chance, right on the average."""

from random import Random
from statistics import mean, stdev

import pytest

from load_tests.arrivals import Arrivals
from load_tests.catalogue import METRES_PER_DEGREE, Lot, Places


def test_people_go_where_the_spaces_and_the_attractions_are() -> None:
    big = Lot("a", "op", "bays", 100, "housing", 120.0, 36.0)
    drawing = Lot("b", "op", "bays", 100, "hospital", 121.0, 36.0)
    random, places = Random(1), Places([big, drawing])
    drawn = [places.draw(random) for _ in range(4000)]
    share = mean(longitude > 120.5 for longitude, _ in drawn)
    assert share == pytest.approx(0.8, abs=0.03)
    norths_m = [(latitude - 36.0) * METRES_PER_DEGREE for _, latitude in drawn]
    assert stdev(norths_m) == pytest.approx(250.0, rel=0.1)


def test_arrivals_keep_their_rate_however_long_answers_take() -> None:
    arrivals, now_s, number = Arrivals(5.0, Random(2)), 0.0, 0
    while now_s < 400.0:
        now_s += arrivals.wait_s(now_s) + 0.05
        number += 1
    assert number / now_s == pytest.approx(5.0, rel=0.06)


def test_a_long_pause_does_not_end_in_a_flood() -> None:
    arrivals = Arrivals(100.0, Random(3))
    arrivals.wait_s(0.0)
    overdue = sum(arrivals.wait_s(60.0) == 0.0 for _ in range(1000))
    assert overdue < 10
