"""What the simulated city is held to: each figure beside the real one, and whether it holds."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.demand.parameters import Parameters
from simulators.fidelity.real import Real
from simulators.fidelity.simulated import Simulated, draw_stays
from simulators.fidelity.statistics import (
    QUARTER_S,
    OccupancyRows,
    hourly_means,
    ks_distance,
    occupancy_rows,
)

FloatArray = NDArray[np.float64]

# The range of the real sets reaches so far beyond them, as a share of each end.
WIDENED: Final = 0.2
CENTRE_APART: Final = 0.1
STAYS_APART: Final = 0.1
QUANTILES_APART: Final = 0.15
# Of the highest hour of a workday.
HOURS_APART: Final = 0.05
ROWS: Final = {
    "sd_quarter": "sd of occupancy about the lot's mean for weekday x quarter",
    "sd_city_day": "sd of the daily mean over all lots, weekday means taken off",
    "correlation_days": "mean correlation between two lots' daily means, weekday means taken off",
    "autocorrelation_day": "autocorrelation of occupancy at 24 h",
    "autocorrelation_week": "autocorrelation of occupancy at 7 d",
    "autocorrelation_left": "autocorrelation at 24 h of what weekday x quarter leaves",
    "full": "share of time at least 99.5 % full",
    "sd_lots": "sd of lots' mean occupancies",
}


class Bar(NamedTuple):
    """One figure that has to hold.

    Attributes:
        part: what the figure is about: "city", "centre" or a land use.
        name: what it is.
        simulated: the simulated city's.
        real: that of real lots, in words.
        asked: what is asked, in words.
        holds: whether it does.
    """

    part: str
    name: str
    simulated: float
    real: str
    asked: str
    holds: bool


def all_bars(
    city: Simulated, parameters: Parameters, real: Real, rng: np.random.Generator
) -> list[Bar]:
    """Return every figure that is asked for."""
    return [
        *_rows(city, real),
        *_centre(city, real),
        *_hours(city, real),
        *_stays(parameters, real, rng),
    ]


def _rows(city: Simulated, real: Real) -> Iterator[Bar]:
    lots = city.shares[city.like_real()]
    found = (
        occupancy_rows(lots, city.start_s, QUARTER_S)
        if len(lots)
        else OccupancyRows(*[float("nan")] * len(OccupancyRows._fields))
    )
    for field, name in ROWS.items():
        theirs = [getattr(rows, field) for rows in real.rows.values()]
        low, high = min(theirs) * (1 - WIDENED), max(theirs) * (1 + WIDENED)
        value = getattr(found, field)
        told = "; ".join(f"{one:.3g}" for one in theirs)
        asked = f"{low:.3g} to {high:.3g}"
        yield Bar("city", name, value, told, asked, low <= value <= high)


def _centre(city: Simulated, real: Real) -> Iterator[Bar]:
    if real.centre is None:
        return
    lots = city.shares[city.central()]
    mean = (
        hourly_means(lots, city.start_s, QUARTER_S).mean(axis=0)
        if len(lots)
        else np.full(24, np.nan)
    )
    apart = np.abs(mean - real.centre.mean)
    worst = int(np.nan_to_num(apart, nan=np.inf).argmax())
    yield Bar(
        "centre",
        f"hourly mean Monday to Friday, where it is furthest off ({worst} h)",
        float(mean[worst]),
        f"{real.centre.mean[worst]:.2f}",
        f"within {CENTRE_APART} at every hour",
        bool((apart <= CENTRE_APART).all()),
    )
    inside = (mean >= real.centre.low) & (mean <= real.centre.high)
    yield Bar(
        "centre",
        "hours whose mean lies within the real lots' 10 to 90 % band",
        float(inside.sum()),
        "24",
        "24",
        bool(inside.all()),
    )


def _hours(city: Simulated, real: Real) -> Iterator[Bar]:
    for lot in real.stays:
        if lot.land_use not in ("housing", "industrial"):
            continue
        workday, sunday = city.hours(lot.land_use)
        if lot.land_use == "housing":
            name, ours, theirs = "02 to 05 h", workday[2:5].mean(), lot.night
        else:
            name, ours, theirs = "a Sunday's highest hour", sunday.max(), lot.sunday
        value = float(ours / workday.max())
        yield Bar(
            lot.land_use,
            f"occupancy: {name} over the highest hour from Monday to Friday",
            value,
            f"{theirs:.3f}",
            f"within {HOURS_APART}",
            abs(value - theirs) <= HOURS_APART,
        )


def _stays(parameters: Parameters, real: Real, rng: np.random.Generator) -> Iterator[Bar]:
    for use in dict.fromkeys(lot.land_use for lot in real.stays):
        lots = [lot for lot in real.stays if lot.land_use == use]
        theirs = np.concatenate([lot.minutes for lot in lots])
        ours = draw_stays(parameters.land_uses[use], rng)
        distance = ks_distance(ours, theirs)
        yield Bar(
            use,
            f"stays: Kolmogorov-Smirnov distance, in-sample ({len(lots)} lots)",
            distance,
            "0",
            f"at most {STAYS_APART}",
            distance <= STAYS_APART,
        )
        for share, name in ((0.5, "median"), (0.9, "90th percentile")):
            our, their = (float(np.quantile(each, share)) for each in (ours, theirs))
            asked = f"within {QUANTILES_APART:.0%}"
            holds = abs(our / their - 1) <= QUANTILES_APART
            yield Bar(use, f"stays: {name}, minutes", our, f"{their:.0f}", asked, holds)
        left_out = [lot.left_out for lot in lots if lot.left_out is not None]
        if left_out:
            most = real.apart[use]
            asked = f"at most {most:.2f}, two real lots' distance"
            # Two digits, as a distance of some thousand stays has no more.
            holds = round(max(left_out), 2) <= round(most, 2)
            name = "stays: distance of a lot to what is fitted to the others, the largest"
            yield Bar(use, name, max(left_out), f"{most:.3f}", asked, holds)
