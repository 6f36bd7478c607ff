"""How parking demand differs by land use: when drivers come and how long they stay.

Medians of stays at markets, malls, hotels, housing estates and industrial parks, and the 90th
percentile of housing, are those of the single stays published as NingxuanFeng/PewLSTM (MIT);
the other stays, all spreads and the hours of arrival are assumptions; a comment explains each.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

WEEK_S = 7 * 86_400
BIN_S = 300
BINS = WEEK_S // BIN_S
_WEEKDAYS = 5
_DAYS = 7
# 1970-01-01 was a Thursday, three days after a Monday.
_EPOCH_AFTER_MONDAY_S = 3 * 86_400
_P90_Z = 1.281_551_6


@dataclass(frozen=True, slots=True)
class LandUse:
    """Shape of the demand of one land use.

    Attributes:
        median_min: median stay in minutes.
        sigma: standard deviation of the logarithm of the stay.
        weekday: relative arrivals in each of the 24 hours, Monday to Friday.
        weekend: the same on Saturday and Sunday, in the same unit.
    """

    median_min: float
    sigma: float
    weekday: tuple[float, ...]
    weekend: tuple[float, ...]

    @property
    def log_median_s(self) -> float:
        """Mean of the natural logarithm of the stay in seconds."""
        return math.log(self.median_min * 60)


def _hours(text: str) -> tuple[float, ...]:
    """Read 24 numbers, hour 0 first."""
    values = tuple(float(part) for part in text.split())
    if len(values) != 24:  # noqa: PLR2004 - hours of a day
        raise ValueError(text)
    return values


LAND_USES: dict[str, LandUse] = {
    # Outpatients in the morning and after lunch; a visit with its queues takes an hour and a half.
    "hospital": LandUse(
        90,
        0.8,
        _hours("2 1 1 1 1 3 10 30 34 30 24 16 12 22 26 20 14 10 9 8 6 5 4 3"),
        _hours("2 1 1 1 1 2 6 16 20 19 16 11 9 14 15 13 10 9 8 7 5 4 3 2"),
    ),
    # Staff at seven, parents at the gates morning and afternoon: short median, wide spread.
    "school": LandUse(
        45,
        1.2,
        _hours("1 1 1 1 1 2 12 40 20 8 6 8 8 10 8 14 36 26 8 5 4 3 2 1"),
        _hours("1 1 1 1 1 1 2 4 8 8 6 5 5 6 6 5 5 4 3 3 2 2 1 1"),
    ),
    # Visits of half a day, far more at weekends.
    "scenic": LandUse(
        150,
        0.6,
        _hours("1 1 1 1 2 4 6 9 14 18 18 14 13 15 14 10 8 7 6 5 3 2 1 1"),
        _hours("1 1 1 1 3 6 10 18 30 36 34 26 24 28 26 18 12 9 8 6 4 3 2 1"),
    ),
    # Many who fetch or bring somebody, and some who leave the car for days.
    "station": LandUse(
        40,
        1.3,
        _hours("4 2 2 2 6 14 22 24 22 22 22 20 20 20 20 22 24 26 24 22 20 18 14 8"),
        _hours("4 2 2 2 6 12 18 22 24 24 24 22 22 22 22 24 26 28 26 24 22 18 14 8"),
    ),
    # Measured medians of three malls: 44 to 95 minutes.
    "mall": LandUse(
        70,
        0.75,
        _hours("1 1 1 1 1 1 2 4 8 14 18 20 18 16 16 16 18 24 28 24 16 8 4 2"),
        _hours("2 1 1 1 1 1 2 5 12 24 32 34 32 34 34 32 32 34 34 28 20 10 5 2"),
    ),
    # Measured median: 35 minutes. Busiest early in the day.
    "market": LandUse(
        35,
        0.9,
        _hours("1 1 1 2 8 20 30 32 30 28 24 18 12 10 12 16 22 24 16 8 4 2 1 1"),
        _hours("1 1 1 2 8 18 30 38 40 38 32 24 15 12 14 18 22 22 14 8 4 2 1 1"),
    ),
    # Staff for the day and visitors for an hour together.
    "office": LandUse(
        260,
        0.9,
        _hours("1 1 1 1 1 2 8 34 44 22 12 8 10 18 14 10 7 6 5 4 3 2 1 1"),
        _hours("1 1 1 1 1 1 2 4 6 6 5 4 4 5 4 4 3 3 2 2 1 1 1 1"),
    ),
    # Measured medians of two hotels: 213 and 241 minutes. Guests who stay the night come late.
    "hotel": LandUse(
        227,
        1.0,
        _hours("4 2 1 1 1 2 4 6 8 9 11 14 14 12 13 15 18 22 24 22 18 14 10 6"),
        _hours("5 3 1 1 1 2 4 6 9 11 14 18 18 15 16 18 22 26 28 25 20 16 11 7"),
    ),
    # Measured: median 193 minutes, 90th percentile 1,267.
    "housing": LandUse(
        193,
        math.log(1_267 / 193) / _P90_Z,
        _hours("4 2 1 1 1 2 4 7 9 9 10 13 13 10 9 11 17 30 34 27 21 17 12 7"),
        _hours("5 3 2 1 1 2 3 5 9 12 14 16 15 13 13 14 18 22 24 22 20 16 12 8"),
    ),
    # Measured median: 467 minutes, a shift.
    "industrial": LandUse(
        467,
        0.45,
        _hours("1 1 1 1 2 6 26 46 24 8 5 4 5 8 5 4 4 6 8 10 3 2 1 1"),
        _hours("1 1 1 1 1 2 7 12 7 4 3 3 3 3 2 2 2 2 3 3 1 1 1 1"),
    ),
    # Errands along the kerb; priced by the hour, so short.
    "street": LandUse(
        45,
        1.0,
        _hours("3 2 1 1 1 3 8 16 22 24 24 22 20 20 20 20 22 26 28 24 18 12 8 5"),
        _hours("4 2 2 1 1 3 5 10 16 22 24 24 24 22 22 22 24 28 30 26 20 14 9 6"),
    ),
}


def demand_shape(land_use: str, lot_type: str) -> str:
    """Return the land use whose demand a lot has; a lot without one is sorted by its type."""
    if land_use in LAND_USES:
        return land_use
    return "street" if lot_type == "on_street" else "mall"


def week_bin(at_s: float, utc_offset_s: int) -> int:
    """Return the 5-minute bin of the local week, 0 at Monday 00:00, of a Unix second."""
    return int((at_s + utc_offset_s + _EPOCH_AFTER_MONDAY_S) % WEEK_S) // BIN_S


def arrival_shape(use: LandUse) -> FloatArray:
    """Return relative arrivals in each 5-minute bin of a week, Monday first; shape (BINS,).

    Linear between the middles of the hours, round the week.
    """
    days = [use.weekday] * _WEEKDAYS + [use.weekend] * (_DAYS - _WEEKDAYS)
    hourly = np.array(days, dtype=np.float64).ravel()
    middles_s = (np.arange(hourly.size) + 0.5) * 3_600
    bins_s = (np.arange(BINS) + 0.5) * BIN_S
    shape: FloatArray = np.interp(bins_s, middles_s, hourly, period=WEEK_S)
    return shape


def normal_survival(z: FloatArray) -> FloatArray:
    """Return the probability that a standard normal variable exceeds each `z`."""
    return np.array([0.5 * math.erfc(value / math.sqrt(2)) for value in z], dtype=np.float64)


def survival(use: LandUse) -> FloatArray:
    """Return the share of stays longer than the middle of each 5-minute bin; shape (BINS,).

    Stays end at a week at the latest, so that a week's bins hold them all.
    """
    ages_s = (np.arange(BINS) + 0.5) * BIN_S
    z: FloatArray = (np.log(ages_s) - use.log_median_s) / use.sigma
    return normal_survival(z)


def expected_occupancy(arrivals: FloatArray, surviving: FloatArray) -> FloatArray:
    """Return the expected number present in each bin of the week, for arrivals per second.

    The mean of an infinite-server queue, the integral of arrivals(t - u) x survival(u) over u,
    periodic over the week (circular convolution).
    """
    present: FloatArray = np.fft.irfft(np.fft.rfft(arrivals) * np.fft.rfft(surviving), n=BINS)
    return present * BIN_S
