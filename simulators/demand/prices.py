"""How demand answers prices: an elasticity, and neighbours who gain what a lot loses. No I/O."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Share of the demand that a price moves which is moved to, or from, the near lots.
DIVERTED: Final = 0.5
MOST_DEMAND: Final = 2.5
LEAST_DEMAND: Final = 0.02


def diversion(near: Sequence[Sequence[int]], capacity: IntArray) -> FloatArray:
    """Return what each lot gains of a unit of demand that leaves another; shape (from, to).

    Near lots share DIVERTED by their size; what leaves a lot without any goes nowhere.
    """
    shares = np.zeros((len(near), len(near)))
    for lot, others in enumerate(near):
        if others:
            sizes = capacity[list(others)]
            shares[lot, others] = DIVERTED * sizes / sizes.sum()
    return shares


def multiples(
    relative: FloatArray, elasticity: FloatArray, usual: FloatArray, moving: FloatArray
) -> FloatArray:
    """Return demand as a multiple of that at base prices, LEAST_DEMAND to MOST_DEMAND.

    A lot's own demand is (price / base price) to the power of the elasticity; part of what a
    price sends away, or draws, goes to or comes from the near lots.

    Args:
        relative: prices over base prices; shape (..., lots).
        elasticity: of demand, negative; broadcasts with `relative`.
        usual: demand of each lot at base prices, in any unit; shape (lots,).
        moving: what `diversion` returns.

    Returns:
        Multiples, in the shape of `relative`.
    """
    own = relative**elasticity
    gained = ((1 - own) * usual) @ moving
    found: FloatArray = np.clip(own + gained / usual, LEAST_DEMAND, MOST_DEMAND)
    return found
