"""How demand answers prices: an elasticity, and neighbours who gain what a lot loses. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.registry import Lot

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


class Answer:
    """What the prices of lots make of their demand, as they are told while time goes on.

    Args:
        lots: all, by position.
        near: of each lot those near it.
        usual: demand of each lot at base prices, in any unit, above 0; shape (lots,).

    Attributes:
        multiples: demand as a multiple of that at base prices; shape (lots,).
    """

    def __init__(
        self, lots: Sequence[Lot], near: Sequence[Sequence[int]], usual: FloatArray
    ) -> None:
        self._lots, self._near, self._usual = lots, near, usual
        self._moving: FloatArray | None = None
        self.multiples: FloatArray = np.ones(len(lots))

    def tell(self, relative: Mapping[str, float], elasticity: float) -> None:
        """Say prices over base prices by lot, above 0; 1 for lots that are left out."""
        if self._moving is None:
            capacity = np.array([lot.capacity for lot in self._lots], dtype=np.int64)
            self._moving = diversion(self._near, capacity)
        told = np.array([relative.get(lot.lot_id, 1.0) for lot in self._lots])
        self.multiples = multiples(told, np.array(elasticity), self._usual, self._moving)
