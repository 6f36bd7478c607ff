"""How many drivers come to each lot, and when: shapes, sizes and the levels of days. No I/O."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.demand.calendar import Calendar
from simulators.demand.levels import day_levels, keys, normals, wanderings
from simulators.demand.opening import DAY_S, Opening
from simulators.demand.parameters import LandUse, Parameters
from simulators.demand.stays import HOURS, StayTable, survival
from simulators.registry import Lot

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

QUARTER_S: Final = 900
QUARTERS: Final = DAY_S // QUARTER_S
_QUARTERS_PER_HOUR: Final = QUARTERS // HOURS
_WEEK: Final = ("workday",) * 5 + ("saturday", "sunday")
# The least of a lot's peaks: a lot that nobody needs still has a car now and then.
_LEAST_PEAK: Final = 0.03
# Of the drivers that a closed lot would have if it were open, those who do not know its hours.
UNAWARE: Final = 0.05
# 1970-01-01 was a Thursday, three days after a Monday.
_EPOCH_AFTER_MONDAY: Final = 3


def demand_use(lot: Lot, known: Sequence[str]) -> str:
    """Return the land use whose demand a lot has; a lot without one is sorted by its type."""
    if lot.land_use in known:
        return lot.land_use
    return "street" if lot.lot_type == "on_street" else "mall"


def week_present(use: LandUse) -> FloatArray:
    """Return who is present when each quarter of a week ends, Monday first; shape (672,).

    The mean of an infinite-server queue whose arrivals a quarter are those of the parameters: the
    sum over all quarters of arrivals x the share of their stays that lasts until then, round the
    week. Longer stays than a week are not counted.
    """
    arrivals = np.concatenate([_shape(use, kind) for kind in _WEEK])
    quarters = np.arange(len(arrivals))
    surviving = survival(use.stays, (quarters + np.float64(0.5)) * QUARTER_S)
    ages = (quarters[:, None] - quarters) % len(arrivals)
    hours = quarters // _QUARTERS_PER_HOUR % HOURS
    present: FloatArray = surviving[hours, ages] @ arrivals
    return present


def _shape(use: LandUse, kind: str) -> FloatArray:
    return np.array(getattr(use.arrivals, kind), dtype=np.float64)


class Rates:
    """The arrivals of all lots at any time; a pure function of lots, seed and time.

    Attributes:
        capacity: bays of each lot.
        use: position of each lot's land use among those of the parameters.
        opening: when the lots may be entered.
        stays: how long their drivers stay.
        usual: how many drivers want to be in each lot at its busiest, on an ordinary day.
    """

    def __init__(
        self,
        lots: Sequence[Lot],
        parameters: Parameters,
        calendar: Calendar,
        *,
        seed: int,
        utc_offset_s: int,
    ) -> None:
        """Give each lot its size of demand.

        Raises:
            ValueError: there is no lot, or one without a bay.
        """
        if not lots or min(lot.capacity for lot in lots) < 1:
            raise ValueError("demand needs lots of at least one bay")
        self._utc_offset_s = utc_offset_s
        self._calendar = calendar
        self._names: tuple[str, ...] = tuple(parameters.land_uses)
        uses = tuple(parameters.land_uses.values())
        index: dict[str, int] = {name: number for number, name in enumerate(self._names)}
        self.capacity = np.array([lot.capacity for lot in lots], dtype=np.int64)
        self.use = np.array([index[demand_use(lot, self._names)] for lot in lots])
        self.opening = Opening(lots)
        self.stays = StayTable([use.stays for use in uses])
        self._shapes = {kind: np.array([_shape(u, kind) for u in uses]) for kind in set(_WEEK)}
        self._present = np.array([week_present(use) for use in uses])
        self._set_levels(lots, parameters, seed)
        peaks = self._peaks(lots, uses, seed)
        self.usual: FloatArray = peaks * self.capacity
        self._scale: FloatArray = self.usual / self._present.max(axis=1)[self.use]
        self._day = -1
        self._day_rates: FloatArray = np.empty(0)

    def _peaks(self, lots: Sequence[Lot], uses: Sequence[LandUse], seed: int) -> FloatArray:
        """Draw each lot's peak of expected occupancy. Above 1 a lot fills up."""
        mean, sd = np.array([(use.peak.mean, use.peak.sd) for use in uses]).T
        drawn = normals(keys(seed, "peak", (lot.lot_id for lot in lots)), np.zeros(1, np.int64))
        peaks: FloatArray = np.maximum(mean[self.use] + sd[self.use] * drawn, _LEAST_PEAK)
        return peaks

    def _set_levels(self, lots: Sequence[Lot], parameters: Parameters, seed: int) -> None:
        uses = parameters.land_uses.values()
        names = [lot.lot_id for lot in lots]
        lot_levels = np.array([(use.lot_level.sd, use.lot_level.memory) for use in uses])[self.use]
        shared = np.array([(use.level.sd, use.level.memory) for use in uses])
        wander = np.array([(use.wander.sd, use.wander.hours) for use in uses])[self.use]
        apart = np.array([use.weekdays.sd for use in uses])[self.use]
        own = normals(keys(seed, "weekday", names), np.arange(len(_WEEK))[:, None])
        self._weekdays = np.exp(apart * own - apart**2 / 2)
        self._wander = (keys(seed, "wander", names), *wander.T)
        city = np.array([(parameters.city.level.sd, parameters.city.level.memory)])
        self._levels = (
            (keys(seed, "lot", names), *lot_levels.T),
            (keys(seed, "use", self._names), *shared.T),
            (keys(seed, "city", ("",)), *city.T),
        )

    def levels(self, day: int) -> FloatArray:
        """Return by how much each lot's demand differs on a day from usual; shape (lots,).

        A factor of mean 1, log-normal: the city's level x that of the land use x the lot's own.

        Args:
            day: local days since 1970-01-01.
        """
        own, shared, city = (
            day_levels(of, day, sd, memory) - sd**2 / 2 for of, sd, memory in self._levels
        )
        factors: FloatArray = np.exp(own + shared[self.use] + city)
        return factors

    def local(self, at_s: float) -> tuple[int, int]:
        """Return the local day since 1970-01-01 and the second of that day of a Unix time."""
        day, second = divmod(int(at_s + self._utc_offset_s), DAY_S)
        return day, second

    def arrivals(self, at_s: float) -> FloatArray:
        """Return how many drivers come to each lot in a second, on average; shape (lots,)."""
        day, second = self.local(at_s)
        if day != self._day:
            self._day, self._day_rates = day, self._rates_of(day)
        rates: FloatArray = self._day_rates[second // QUARTER_S]
        return rates

    def _rates_of(self, day: int) -> FloatArray:
        """Return the arrivals a second by quarter of a day; shape (96, lots)."""
        kind = self._calendar.kind(day)
        rates: FloatArray = self._shapes[kind][self.use].T * (
            self._scale * self._day_factors(day) / QUARTER_S
        )
        rates *= self._within_day(day)
        shut = ~np.array([self.opening.at(q * QUARTER_S) for q in range(QUARTERS)])
        rates[shut] *= UNAWARE
        return rates

    def _within_day(self, day: int) -> FloatArray:
        """Return by how much each lot's quarters differ from its day, mean 1; shape (96, lots)."""
        of, sd, hours = self._wander
        hourly = wanderings(of, day, sd, hours) - sd**2 / 2
        later = ((np.arange(QUARTERS) % _QUARTERS_PER_HOUR + 0.5) / _QUARTERS_PER_HOUR)[:, None]
        before, after = (
            np.repeat(each, _QUARTERS_PER_HOUR, axis=0) for each in (hourly[:-1], hourly[1:])
        )
        factors: FloatArray = np.exp(before + later * (after - before))
        return factors

    def present(self, at_s: float) -> FloatArray:
        """Return about how many each lot would hold if none were full or closed; shape (lots,).

        An ordinary week's, by the level of the day: what the days before have left is not seen.
        """
        present: FloatArray = self.ordinary(at_s) * self._day_factors(self.local(at_s)[0])
        return present

    def ordinary(self, at_s: float) -> FloatArray:
        """Return how many each lot would hold in an ordinary week, as `present` does."""
        day, second = self.local(at_s)
        weekday = (day + _EPOCH_AFTER_MONDAY) % len(_WEEK)
        quarter, later_s = divmod(weekday * DAY_S + second, QUARTER_S)
        begun, ended = (self._present[self.use, number] for number in (quarter - 1, quarter))
        present: FloatArray = self._scale * (begun + later_s / QUARTER_S * (ended - begun))
        return present

    def _day_factors(self, day: int) -> FloatArray:
        """Return by how much each lot's demand differs on a day from those of its kind."""
        of_use = np.array([self._calendar.factor(name, day) for name in self._names])
        own = self._weekdays[(day + _EPOCH_AFTER_MONDAY) % len(_WEEK)]
        factors: FloatArray = self.levels(day) * of_use[self.use] * own
        return factors
