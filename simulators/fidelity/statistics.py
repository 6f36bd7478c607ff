"""Figures that describe a city's occupancy and its stays. Pure functions of arrays.

Occupancy is an array (lots, steps) of shares 0 to 1, NaN where it is not known, in equal steps
from a local instant on: `start_s` is that instant's local wall clock read as if it were UTC, in
Unix seconds (`local_seconds`).
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DAY_S = 86_400
QUARTER_S = 900
HOUR_S = 3_600
WEEK = 7
WORKDAYS = 5
FULL = 0.995
# 1970-01-01 was a Thursday, three days after a Monday.
_EPOCH_AFTER_MONDAY = 3
# A lot's day counts in daily means if this share of its quarters is known.
_KNOWN_DAY = 0.5


class OccupancyRows(NamedTuple):
    """What a city's occupancy is like; one figure a row of the report.

    Those of single lots are means over the lots; autocorrelations are medians over the lots,
    since a lot or two without a rhythm would speak for all.

    Attributes:
        sd_quarter: standard deviation of occupancy about the mean of the lot's other weeks at the
            same weekday and quarter of an hour.
        sd_city_day: of the daily mean over all lots, about that of other weeks at the weekday.
        correlation_days: mean over pairs of lots of the correlation of their daily means, means of
            the weekday taken off.
        autocorrelation_day: of occupancy at 24 hours.
        autocorrelation_week: at 7 days.
        autocorrelation_left: at 24 hours, of what the mean by weekday and quarter leaves.
        full: share of known time with at least FULL of the bays taken.
        sd_lots: standard deviation of the lots' mean occupancies.
    """

    sd_quarter: float
    sd_city_day: float
    correlation_days: float
    autocorrelation_day: float
    autocorrelation_week: float
    autocorrelation_left: float
    full: float
    sd_lots: float


def local_seconds(local: datetime) -> float:
    """Return a local wall clock as seconds, read as if it were UTC; its zone is not looked at."""
    return local.replace(tzinfo=UTC).timestamp()


def occupancy_rows(occupancy: FloatArray, start_s: float, step_s: int) -> OccupancyRows:
    """Return every figure of a city's occupancy; shape (lots, steps).

    Raises:
        ValueError: fewer than two weeks, or a step that is no part of a quarter of an hour.
    """
    quarters, start_s = to_quarters(occupancy, start_s, step_s)
    per_day = DAY_S // QUARTER_S
    if quarters.shape[1] < 2 * WEEK * per_day:
        raise ValueError("occupancy of less than two weeks says nothing of how weeks differ")
    slots = _slots(quarters.shape[1], start_s)
    left = np.array([_about_others(lot, slots) for lot in quarters])
    days, weekdays = daily_means(quarters, start_s)
    day_left = np.array([_about_others(lot, weekdays) for lot in days])
    with _all_unknown():
        city_left = _about_others(np.nanmean(days, axis=0), weekdays)
        return OccupancyRows(
            sd_quarter=float(np.nanmean(np.nanstd(left, axis=1))),
            sd_city_day=float(np.nanstd(city_left)),
            correlation_days=_mean_pair(day_left),
            autocorrelation_day=_median_lagged(quarters, per_day),
            autocorrelation_week=_median_lagged(quarters, WEEK * per_day),
            autocorrelation_left=_median_lagged(left, per_day),
            full=share_full(occupancy),
            sd_lots=float(np.nanstd(np.nanmean(quarters, axis=1))),
        )


def share_full(occupancy: FloatArray) -> float:
    """Return the share of known lots' time with at least FULL of the bays taken."""
    return float((occupancy >= FULL).sum() / np.isfinite(occupancy).sum())


def to_quarters(occupancy: FloatArray, start_s: float, step_s: int) -> tuple[FloatArray, float]:
    """Return means by whole quarters of an hour, and the local second of the first.

    Raises:
        ValueError: a quarter of an hour is not a whole number of steps.
    """
    if step_s < 1 or QUARTER_S % step_s:
        raise ValueError(f"steps of {step_s} s do not make up a quarter of an hour")
    size = QUARTER_S // step_s
    skipped = round((-start_s % QUARTER_S) / step_s)
    count = (occupancy.shape[1] - skipped) // size
    whole = occupancy[:, skipped : skipped + count * size]
    with _all_unknown():
        means = np.nanmean(whole.reshape(len(occupancy), count, size), axis=2)
    return means, start_s + skipped * step_s


def daily_means(quarters: FloatArray, start_s: float) -> tuple[FloatArray, IntArray]:
    """Return means of lots by local day, shape (lots, days), and each day's weekday, Monday 0.

    A day less than half of which is known is not known: its hours would be taken for the day.
    """
    days = ((start_s + QUARTER_S * np.arange(quarters.shape[1])) // DAY_S).astype(np.int64)
    first = int(days[0])
    means = np.full((len(quarters), int(days[-1]) - first + 1), np.nan)
    for day in range(means.shape[1]):
        part = quarters[:, days == first + day]
        known = np.isfinite(part).sum(axis=1) >= _KNOWN_DAY * (DAY_S // QUARTER_S)
        means[known, day] = np.nanmean(part[known], axis=1)
    weekdays = (first + np.arange(means.shape[1]) + _EPOCH_AFTER_MONDAY) % WEEK
    return means, weekdays


def hourly_means(
    occupancy: FloatArray, start_s: float, step_s: int, *, weekend: bool = False
) -> FloatArray:
    """Return each lot's mean occupancy by local hour, Monday to Friday or at weekends: (lots, 24).

    `start_s` and `step_s` as everywhere; a step counts in the hour in which it begins.
    """
    at = start_s + step_s * np.arange(occupancy.shape[1])
    weekday = (at // DAY_S + _EPOCH_AFTER_MONDAY) % WEEK
    wanted = (weekday >= WORKDAYS) == weekend
    hours = (at % DAY_S // HOUR_S).astype(np.int64)
    with _all_unknown():
        means = [np.nanmean(occupancy[:, wanted & (hours == hour)], axis=1) for hour in range(24)]
    return np.array(means).T


def ks_distance(one: FloatArray, other: FloatArray) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples, 0 to 1.

    Raises:
        ValueError: a sample is empty.
    """
    if not len(one) or not len(other):
        raise ValueError("an empty sample has no distribution")
    one, other = np.sort(one), np.sort(other)
    values = np.concatenate([one, other])
    shares = [
        np.searchsorted(sample, values, side="right") / len(sample) for sample in (one, other)
    ]
    return float(np.abs(shares[0] - shares[1]).max())


def _slots(count: int, start_s: float) -> IntArray:
    """Return the quarter of the week, Monday's first 0, of each quarter of an hour."""
    quarters = (start_s + _EPOCH_AFTER_MONDAY * DAY_S) // QUARTER_S + np.arange(count)
    return (quarters % (WEEK * DAY_S // QUARTER_S)).astype(np.int64)


def _about_others(values: FloatArray, groups: IntArray) -> FloatArray:
    """Return each value less the mean of the others of its group; NaN where there are none.

    The mean of all would take part of each deviation off: a fifth of it with five weeks.
    """
    known = np.isfinite(values)
    counts = np.bincount(groups[known], minlength=groups.max() + 1)[groups].astype(np.float64)
    sums = np.bincount(groups[known], values[known], minlength=groups.max() + 1)[groups]
    alone = counts < 2  # noqa: PLR2004 - it has no other
    counts[alone] = np.nan
    return values - (sums - values) / (counts - 1)


def _mean_pair(days: FloatArray) -> float:
    """Return the mean correlation over pairs of rows, on the days that both know."""
    pairs = [
        _correlation(days[one], days[other])
        for one in range(len(days))
        for other in range(one + 1, len(days))
    ]
    return float(np.nanmean(pairs)) if pairs else float("nan")


def _median_lagged(rows: FloatArray, lag: int) -> float:
    """Return the median over rows of the correlation of values `lag` steps apart."""
    return float(np.nanmedian([_correlation(row[:-lag], row[lag:]) for row in rows]))


def _correlation(one: FloatArray, other: FloatArray) -> float:
    """Return the correlation where both are known; NaN if one is constant there."""
    known = np.isfinite(one) & np.isfinite(other)
    one, other = one[known], other[known]
    if len(one) < 2 or not one.std() or not other.std():  # noqa: PLR2004 - a line needs two
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


@contextmanager
def _all_unknown() -> Iterator[None]:
    """Let means of nothing be NaN without a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(Mean of empty slice|Degrees of freedom|All-NaN)")
        yield
