"""Prices: an elasticity, near lots that gain by their size, and bounds."""

import numpy as np
import pytest

from simulators.demand.prices import DIVERTED, LEAST_DEMAND, MOST_DEMAND, diversion, multiples

CAPACITY = np.array([100, 100, 300, 50])
MOVING = diversion([[1, 2], [0, 2], [0, 1], []], CAPACITY)
USUAL = np.array([80.0, 40.0, 100.0, 20.0])


def test_what_leaves_a_lot_goes_to_near_ones_by_their_size() -> None:
    assert MOVING[0].tolist() == [0, DIVERTED / 4, 3 * DIVERTED / 4, 0]
    found = multiples(np.array([1.5, 1, 1, 1]), np.array(-0.4), USUAL, MOVING)
    left = 1 - 1.5**-0.4
    assert found[0] == pytest.approx(1 - left)
    gained = (found - 1) * USUAL
    assert gained[1:].tolist() == pytest.approx([10 * left, 30 * left, 0])


def test_a_lot_alone_answers_alone_and_bounds_hold() -> None:
    alone = multiples(np.array([1, 1, 1, 2.0]), np.array(-0.8), USUAL, MOVING)
    assert alone.tolist() == pytest.approx([1, 1, 1, 2**-0.8])
    extreme = multiples(np.array([1, 1e9, 1e-9, 1]), np.array(-0.8), USUAL, MOVING)
    assert extreme[1:3].tolist() == [LEAST_DEMAND, MOST_DEMAND]
    many = multiples(np.ones((3, 4)), np.array([[-0.1], [-0.2], [-0.8]]), USUAL, MOVING)
    assert many == pytest.approx(1)
