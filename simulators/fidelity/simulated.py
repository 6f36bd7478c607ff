"""The simulated city as the report looks at it: six weeks of occupancy, and its stays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.demand.flow import Flow
from simulators.demand.near import metres_from
from simulators.demand.parameters import LandUse, Parameters
from simulators.demand.stays import HOURS, StayTable
from simulators.fidelity.statistics import DAY_S, HOUR_S, QUARTER_S, local_seconds
from simulators.fitting.stays import SHORTEST_MIN
from simulators.registry import Lot

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# No public holiday and no school holiday is among these days.
FIRST_DAY: Final = datetime(2026, 10, 12)  # noqa: DTZ001 - the city's own midnight
WEEKS: Final = 6
UTC_OFFSET_S: Final = 8 * 3_600
# The lots whose occupancy is held against that of real car parks.
COMMERCIAL: Final = ("mall", "market", "office", "hotel")
BAYS: Final = (150, 600)
# 五四广场, the middle of the city.
CENTRE: Final = (120.3797, 36.0631)
CENTRAL_M: Final = 3_000.0
_STAYS: Final = 200_000


class Simulated(NamedTuple):
    """Six weeks of a city.

    Attributes:
        lots: those of the city.
        shares: occupancy by quarter of an hour; shape (lots, quarters).
        start_s: local wall clock of the first quarter, as `statistics` has it.
    """

    lots: Sequence[Lot]
    shares: FloatArray
    start_s: float

    def commercial(self) -> BoolArray:
        """Return which lots are malls', markets', offices' or hotels', not on the street."""
        return np.array(
            [lot.land_use in COMMERCIAL and lot.lot_type != "on_street" for lot in self.lots],
            dtype=np.bool_,
        )

    def like_real(self) -> BoolArray:
        """Return which lots are commercial and of the size of the real car parks."""
        capacity = np.array([lot.capacity for lot in self.lots])
        least, most = BAYS
        return self.commercial() & (capacity >= least) & (capacity <= most)

    def central(self) -> BoolArray:
        """Return which lots are commercial and lie in the middle of the city."""
        return self.commercial() & (metres_from(*CENTRE, self.lots) <= CENTRAL_M)

    def of_use(self, name: str) -> BoolArray:
        """Return which lots serve a land use."""
        return np.array([lot.land_use == name for lot in self.lots], dtype=np.bool_)

    def hours(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Return a land use's mean occupancy by hour, from Monday to Friday and on Sundays.

        Shape (24,) each, NaN where no lot serves it.
        """
        lots = self.shares[self.of_use(name)]
        mean = lots.mean(axis=0) if len(lots) else np.full(self.shares.shape[1], np.nan)
        by_hour = mean.reshape(-1, 7, HOURS, HOUR_S // QUARTER_S).mean(axis=(0, 3))
        return by_hour[:5].mean(axis=0), by_hour[6]


def live(lots: Sequence[Lot], parameters: Parameters, seed: int, weeks: int = WEEKS) -> Simulated:
    """Return the occupancy of a city over weeks, from counts by lot; no sensor is in between.

    Raises:
        ValueError: there is no lot.
    """
    start_s = local_seconds(FIRST_DAY)
    flow = Flow(
        lots, start_s - UTC_OFFSET_S, seed=seed, utc_offset_s=UTC_OFFSET_S, parameters=parameters
    )
    capacity = np.array([lot.capacity for lot in lots])
    quarters = weeks * 7 * DAY_S // QUARTER_S
    shares = np.empty((len(lots), quarters))
    for quarter in range(quarters):
        flow.advance_to(start_s - UTC_OFFSET_S + (quarter + 1) * QUARTER_S)
        shares[:, quarter] = flow.present / capacity
    return Simulated(lots, shares, start_s)


def draw_stays(use: LandUse, rng: np.random.Generator) -> FloatArray:
    """Return stays of a land use over a week, as real ones are recorded.

    In whole minutes, from the minute of arrival to that of departure, and from SHORTEST_MIN on.
    """
    arrivals = use.arrivals
    week = [arrivals.workday] * 5 + [arrivals.saturday, arrivals.sunday]
    by_hour = np.array(week).sum(axis=0).reshape(HOURS, -1).sum(axis=1)
    counts = rng.multinomial(_STAYS, by_hour / by_hour.sum())
    table = StayTable([use.stays])
    of_use = np.zeros(_STAYS, dtype=np.int64)
    drawn_s = [table.draw(of_use[:count], hour, rng) for hour, count in enumerate(counts)]
    minutes = np.floor(np.concatenate(drawn_s) / 60 + rng.random(_STAYS))
    recorded: FloatArray = minutes[minutes >= SHORTEST_MIN]
    return recorded
