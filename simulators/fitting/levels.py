"""How days differ: levels that lots share, their own, and how long both last.

Levels are deviations of a logarithm from the mean of the weekday in the same weeks. What two lots
share is their covariance; what is left of a lot's variance is its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.fitting.stays import DAY_S, QUARTER_S

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WEEK = 7
# Seasons are none of a day's own level: weekdays are held against those of the same weeks.
BLOCK_DAYS = 42
# A holiday is the calendar's, and would be a week's worth of other days' variance.
_OUTLIER_SDS = 3.0
_MOST_MEMORY = 0.95
# Occupancy below this says little of how many came.
_LEAST_SHARE = 0.1
_LONGEST_H = 8


class DayLevel(NamedTuple):
    """Standard deviation of a logarithm over days, and the correlation of a day with the next."""

    sd: float
    memory: float


class LotDays(NamedTuple):
    """A lot's days.

    Attributes:
        group: lots of one group share a level besides the city's: their land use.
        days: local days since 1970, ascending.
        logs: logarithm of what came, or of mean occupancy, on each.
        noise: variance that chance alone gives the logarithms.
    """

    group: str
    days: IntArray
    logs: FloatArray
    noise: float


class Levels(NamedTuple):
    """Levels of a city's lots.

    Attributes:
        city: what all share.
        groups: what those of a group share besides, where it has two lots or more.
        lots: a lot's own, by group.
        lot: a lot's own, of the middle one of all.
    """

    city: DayLevel
    groups: dict[str, DayLevel]
    lots: dict[str, DayLevel]
    lot: DayLevel


def day_levels(lots: Sequence[LotDays]) -> Levels:
    """Return the levels of a city's lots; what no two lots tell is 0.

    Raises:
        ValueError: there is no lot.
    """
    if not lots:
        raise ValueError("levels need lots")
    first = min(int(lot.days[0]) for lot in lots)
    length = max(int(lot.days[-1]) for lot in lots) - first + 1
    left = np.full((len(lots), length), np.nan)
    for row, lot in zip(left, lots, strict=True):
        row[lot.days - first] = lot.logs
        row[:] = _clipped(_off_weekdays(row, first))
    groups = np.array([lot.group for lot in lots])
    now, later = _covariances(left, 0), _covariances(left, 1)
    same = groups[:, None] == groups[None, :]
    others = ~np.eye(len(lots), dtype=np.bool_)
    apart = others & ~same if (~same).any() else others
    city = [_mean(matrix[apart]) for matrix in (now, later)]
    shared: dict[str, DayLevel] = {}
    own: dict[str, DayLevel] = {}
    noise = np.array([lot.noise for lot in lots])
    before = [np.diag(now) - noise - city[0], np.diag(later) - city[1]]
    for group in dict.fromkeys(groups.tolist()):
        members = groups == group
        inside = others & same & members[:, None]
        besides = [0.0, 0.0]
        if inside.any() and (~same).any():
            besides = [_mean(now[inside]) - city[0], _mean(later[inside]) - city[1]]
            shared[group] = _level(*besides)
        if shared.get(group, DayLevel(0, 0)).sd == 0:
            besides = [0.0, 0.0]
        for values, part in zip(before, besides, strict=True):
            values[members] -= part
        own[group] = _level(*(_mean(values[members]) for values in before))
    middle = _level(*(float(np.nanmedian(values)) for values in before))
    return Levels(_level(*city), shared, own, middle)


def wander(shares: FloatArray, start_s: float) -> tuple[float, float]:
    """Return how far occupancy wanders within days: relative sd, and the hours it lasts.

    What each lot's mean by weekday and quarter of an hour, and the day's own level, leave.

    Args:
        shares: occupancy by quarter of an hour, NaN where not known; shape (lots, quarters).
        start_s: local midnight of the first, seconds since 1970.
    """
    per_day = DAY_S // QUARTER_S
    week = (np.arange(shares.shape[1]) + int(start_s // QUARTER_S)) % (WEEK * per_day)
    variances, lagged = [], []
    for lot in shares:
        means, counts = _group_means(lot, week)
        relative = np.where(means >= _LEAST_SHARE, lot / means - 1, np.nan)
        relative *= np.sqrt(counts / np.maximum(counts - 1, 1))
        days = relative.reshape(-1, per_day)
        known = np.isfinite(days).sum(axis=1) >= per_day // 4
        days = days[known] - np.nanmean(days[known], axis=1, keepdims=True)
        days = _clipped(days.ravel()).reshape(-1, per_day)
        variances.append(float(np.nanvar(days)))
        lagged.append(
            [_mean(days[:, : per_day - lag] * days[:, lag:]) for lag in range(4, 4 * _LONGEST_H, 4)]
        )
    if not variances:
        raise ValueError("a wander needs lots")
    shape = np.mean(lagged, axis=0) / np.mean(variances)
    below = np.flatnonzero(shape < np.exp(-1))
    hours = float(below[0] + 1) if len(below) else float(_LONGEST_H)
    return float(np.sqrt(np.mean(variances))), hours


def _off_weekdays(row: FloatArray, first_day: int) -> FloatArray:
    """Return values less the mean of their weekday within BLOCK_DAYS, at their full spread."""
    at = np.arange(len(row))
    group = at // BLOCK_DAYS * WEEK + (first_day + at) % WEEK
    means, counts = _group_means(row, group)
    left: FloatArray = (row - means) * np.sqrt(counts / np.maximum(counts - 1, 1))
    left[counts < 2] = np.nan  # noqa: PLR2004 - it has no other
    return left


def _group_means(values: FloatArray, groups: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean of each value's group, and how many are known of it."""
    known = np.isfinite(values)
    size = int(groups.max()) + 1
    counts = np.bincount(groups[known], minlength=size)[groups].astype(np.float64)
    sums = np.bincount(groups[known], values[known], minlength=size)[groups]
    return np.divide(sums, counts, out=np.full(len(values), np.nan), where=counts > 0), counts


def _clipped(values: FloatArray) -> FloatArray:
    """Bound values to _OUTLIER_SDS robust standard deviations."""
    known = values[np.isfinite(values)]
    if not len(known):
        return values
    bound = _OUTLIER_SDS * 1.4826 * float(np.median(np.abs(known)))
    clipped: FloatArray = np.clip(values, -bound, bound) if bound else values
    return clipped


def _covariances(left: FloatArray, lag: int) -> FloatArray:
    """Return mean products of rows, the second `lag` days later, on the days both know."""
    length = left.shape[1] - lag
    one, other = left[:, :length], left[:, lag:]
    known = np.isfinite(one).astype(float) @ np.isfinite(other).astype(float).T
    sums = np.nan_to_num(one) @ np.nan_to_num(other).T
    few = known < 2 * WEEK
    means: FloatArray = np.divide(sums, known, out=np.full(sums.shape, np.nan), where=~few)
    return means


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


def _level(variance: float, covariance: float) -> DayLevel:
    """Return the level of a variance and the covariance of a day with the next."""
    if variance <= 0:
        return DayLevel(0.0, 0.0)
    memory = float(np.clip(covariance / variance, 0, _MOST_MEMORY))
    return DayLevel(float(np.sqrt(variance)), memory)
