"""When drivers come: arrivals by quarter of an hour, counted or told by occupancy."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.demand.parameters import Stays
from simulators.demand.stays import survival
from simulators.fitting.stays import DAY_S, QUARTER_S, StayLot

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WEEK = 7
QUARTERS = DAY_S // QUARTER_S
KINDS = ("workday", "saturday", "sunday")
# 1970-01-01 was a Thursday, three days after a Monday.
_EPOCH_AFTER_MONDAY = 3
# Neighbouring quarters that a count is spread over: a lot has a car or two in one.
_KERNEL = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9
_STEPS = 300


class Week(NamedTuple):
    """A day's quarters of an hour by kind of day; shape (96,) each."""

    workday: FloatArray
    saturday: FloatArray
    sunday: FloatArray

    def quarters(self) -> FloatArray:
        """Return the whole week, Monday first; shape (672,)."""
        return np.concatenate([self.workday] * 5 + [self.saturday, self.sunday])


def kind_of(days: IntArray) -> IntArray:
    """Return the position in KINDS of local days since 1970 that are no holidays."""
    return np.maximum((days + _EPOCH_AFTER_MONDAY) % WEEK - 4, 0)


def counted(lots: Sequence[StayLot]) -> Week:
    """Return arrivals of a land use, of mean 1 over a week; each lot counts alike.

    Raises:
        ValueError: a lot recorded no day of a kind.
    """
    return _of_mean_one([_smooth(_counts(lot)) for lot in lots])


def told_by_occupancy(shares: FloatArray, start_s: float, stays: Stays) -> Week:
    """Return the arrivals of mean 1 that, with these stays, bring about a mean occupancy.

    Richardson and Lucy's iteration: it keeps arrivals from 0 on, and their number.

    Args:
        shares: occupancy by quarter of an hour from a local midnight on, NaN where not known;
            shape (lots, quarters), whole days.
        start_s: that midnight as seconds since 1970.
        stays: how long those who arrive stay.
    """
    days = shares.reshape(len(shares), -1, QUARTERS)
    kinds = kind_of(int(start_s // DAY_S) + np.arange(days.shape[1]))
    wanted = Week(*(np.nanmean(days[:, kinds == kind], axis=(0, 1)) for kind in range(3)))
    seen = wanted.quarters()
    at = np.arange(len(seen))
    known = np.isfinite(seen)
    seen = np.interp(at, at[known], seen[known], period=len(seen))
    ages = (at[:, None] - at) % len(seen)
    lasting = survival(stays, (at + np.float64(0.5)) * QUARTER_S)
    kernel = lasting[at // 4 % 24, ages]
    arrivals = np.full(len(seen), seen.sum() / kernel.sum())
    for _ in range(_STEPS):
        arrivals *= (kernel.T @ (seen / (kernel @ arrivals))) / kernel.sum(axis=0)
    by_day = arrivals.reshape(WEEK, QUARTERS)
    week = Week(by_day[:5].mean(axis=0), by_day[5], by_day[6])
    return _of_mean_one([_smooth(week)])


def _counts(lot: StayLot) -> Week:
    day = (lot.arrivals_s // DAY_S).astype(np.int64)
    usual = np.isin(day, lot.usual)
    quarter = (lot.arrivals_s % DAY_S // QUARTER_S).astype(np.int64)[usual]
    whose, recorded = kind_of(day[usual]), kind_of(lot.usual)
    rows = []
    for number, name in enumerate(KINDS):
        days = int((recorded == number).sum())
        if not days:
            raise ValueError(f"{lot.file}: no {name} was recorded")
        rows.append(np.bincount(quarter[whose == number], minlength=QUARTERS) / days)
    return Week(*rows)


def _smooth(week: Week) -> Week:
    reach = len(_KERNEL) // 2
    return Week(*(np.convolve(np.pad(day, reach, "wrap"), _KERNEL, "valid") for day in week))


def _of_mean_one(weeks: Sequence[Week]) -> Week:
    parts = [[day / week.quarters().mean() for day in week] for week in weeks]
    return Week(*np.mean(parts, axis=0))
