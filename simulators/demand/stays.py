"""How long drivers stay: mixtures of log-normals by land use and hour of arrival. No I/O."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.demand.parameters import Stays

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MAX_STAY_S: Final = 7 * 86_400.0
MIN_STAY_S: Final = 60.0
HOURS: Final = 24
# Quantiles that are kept of each distribution, in the middles of as many equal shares; between two
# it is linear.
_QUANTILES: Final = 4_096
_GRID_S: Final = np.geomspace(MIN_STAY_S, MAX_STAY_S, 2_000)


def survival(stays: Stays, lasting_s: FloatArray) -> FloatArray:
    """Return the share of stays that last longer, by hour of arrival; shape (24, lasting)."""
    z = np.array(
        [
            (np.log(lasting_s / 60) - math.log(one.median_min)) / one.sigma
            for one in stays.components
        ]
    )
    beyond = np.vectorize(lambda value: 0.5 * math.erfc(value / math.sqrt(2)))(z)
    shares: FloatArray = np.asarray(stays.weights) @ beyond
    return shares


class StayTable:
    """The stays of all land uses as a table of quantiles, to draw from.

    Args:
        of: the stays of each land use, in the order by which they are then asked for.
    """

    def __init__(self, of: Sequence[Stays]) -> None:
        shares = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
        tables = [
            [np.interp(shares, 1.0 - longer, _GRID_S) for longer in survival(stays, _GRID_S)]
            for stays in of
        ]
        self._quantile_s: FloatArray = np.array(tables).reshape(-1)

    def draw(self, use: IntArray, hour: int, rng: np.random.Generator) -> FloatArray:
        """Draw a stay in seconds for each driver, who comes for `use` in a local `hour`."""
        place = rng.random(len(use)) * (_QUANTILES - 1)
        below = place.astype(np.int64)
        at = (use * HOURS + hour) * _QUANTILES + below
        low = self._quantile_s[at]
        stay_s: FloatArray = low + (place - below) * (self._quantile_s[at + 1] - low)
        return stay_s
