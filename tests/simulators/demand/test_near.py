"""Near lots: nearest first, within the bound, and no strangers in housing estates."""

from typing import Any

import pytest

from simulators.demand.near import NEAR_LOTS, NEAR_M, metres_from, near_lots
from tests.simulators.demand.cities import lot

# Metres of a degree of latitude at 36 degrees north.
DEGREE_M = 110_960


def north(metres: float) -> dict[str, Any]:
    return {"longitude": 120.38, "latitude": 36.06 + metres / DEGREE_M}


def test_the_nearest_come_first_within_the_bound() -> None:
    lots = [lot(f"{m}", 9, "office", **north(m)) for m in (0, 400, 100, NEAR_M + 20, 250)]
    assert near_lots(lots)[0] == [2, 4, 1]
    assert near_lots(lots)[3] == [1, 4, 2]
    assert metres_from(120.38, 36.06, lots)[1] == pytest.approx(400, rel=0.01)
    crowd = [lot(f"{n}", 9, "office", **north(n)) for n in range(20)]
    assert near_lots(crowd)[0] == list(range(1, NEAR_LOTS + 1))


def test_lots_without_a_place_are_near_to_none() -> None:
    lots = [lot("a", 9, "office"), lot("b", 9, "office"), lot("c", 9, "office", **north(0))]
    assert near_lots(lots) == [[], [], []]


def test_housing_estates_take_no_strangers() -> None:
    lots = [lot("shop", 9, "mall", **north(0))]
    lots += [lot(f"home-{n}", 9, "housing", **north(n)) for n in (50, 90)]
    assert near_lots(lots) == [[], [2, 0], [1, 0]]
