"""The clocks and connections of gateways, by the wall clock. No I/O, no clock of its own."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from simulators.demand.levels import FloatArray, keys, uniforms
from simulators.sensors.bays import BoolArray
from simulators.sensors.profiles import Profile

_HOUR_S: Final = 3_600
# A gateway's clock is right or wrong for so long; then it may be set.
_CLOCK_S: Final = 6 * _HOUR_S
# Nothing is wrong so long after the start, so that each lot is heard from once.
GRACE_S: Final = 180.0


class Links:
    """Whose clocks are wrong, and who is cut off, as functions of the seed, gateway and time.

    Args:
        seed: of all that is random.
        gateways: their names.
        profile: rates of faults.
        start_s: when the gateways start, Unix seconds.
    """

    def __init__(
        self, seed: int, gateways: Sequence[str], profile: Profile, start_s: float
    ) -> None:
        self._profile, self._start_s = profile, start_s
        self._clock_keys = keys(seed, "clock", gateways)
        self._cut_keys = keys(seed, "cut", gateways)

    def clocks_s(self, at_s: float) -> FloatArray:
        """Return each gateway's clock less the true time at an instant, seconds."""
        wrong = np.zeros(len(self._clock_keys))
        if at_s < self._start_s + GRACE_S:
            return wrong
        slot = np.full(len(wrong), 2 * (at_s // _CLOCK_S), dtype=np.int64)
        drawn, extent = uniforms(self._clock_keys, slot), uniforms(self._clock_keys, slot + 1)
        before = 0.0
        for fault in self._profile.clocks:
            has = (drawn >= before) & (drawn < before + fault.share)
            wrong[has] = (fault.least_s + extent * (fault.most_s - fault.least_s))[has]
            before += fault.share
        return wrong

    def cut(self, at_s: float) -> BoolArray:
        """Return which gateways have no connection at an instant.

        An outage begins and ends within an hour of the clock; at most one an hour.
        """
        hour = int(at_s // _HOUR_S)
        fate, begin, length = (
            uniforms(self._cut_keys, np.full(len(self._cut_keys), 3 * hour + part))
            for part in range(3)
        )
        from_s = np.maximum(_HOUR_S * (hour + begin), self._start_s + GRACE_S)
        until_s = from_s - np.log1p(-length) * self._profile.outage_s
        is_cut: BoolArray = (
            (fate < self._profile.outages_an_hour) & (from_s <= at_s) & (at_s < until_s)
        )
        return is_cut
