"""Mixtures of log-normal stays whose shares change with the hour of arrival, fitted by EM.

The components belong to a land use as a whole: kinds of visits, as it were. Their shares belong
to the hour: who comes at night stays until the morning.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.fitting.stays import SHORTEST_MIN

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

HOURS = 24
_HOUR_MIN = 60
MAX_COMPONENTS = 12
# What is close: the distance to all stays, the mean over arrivals of that by hour, how far the
# median and the 90th percentile may be off, and how many more or fewer cars may be there at an
# hour of the day, as a share of the most at any.
CLOSE = 0.04
CLOSE_BY_HOUR = 0.125
CLOSE_QUANTILES = 0.1
CLOSE_PRESENT = 0.08
# Distances to left-out lots that differ by less are alike.
AS_GOOD = 0.005
# An hour's shares are drawn to the use's own, as if it had seen so many stays more of that kind:
# some hours saw ten cars.
_PRIOR_STAYS = 20.0
# A component narrower than this would be one number seen often.
_MIN_SIGMA = 0.08
_STEPS = 400
_ENOUGH = 1e-7
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


@dataclass(frozen=True)
class Mixture:
    """Stays by hour of arrival.

    Attributes:
        log_median_min: mean of the natural logarithm of the stay in minutes; shape (components,).
        sigma: its standard deviation; shape (components,).
        weights: share of each component by hour of arrival; shape (24, components).
    """

    log_median_min: FloatArray
    sigma: FloatArray
    weights: FloatArray

    def below(self, minutes: FloatArray) -> FloatArray:
        """Return the share of stays of at most so many minutes, by hour: (24, minutes)."""
        z = (np.log(minutes)[:, None] - self.log_median_min) / self.sigma
        shares: FloatArray = self.weights @ (1 - _erfc(z / np.sqrt(2)) / 2).T
        return shares

    def draw(self, hours: IntArray, rng: np.random.Generator) -> FloatArray:
        """Return a stay in minutes for each hour of arrival."""
        thresholds = self.weights.cumsum(axis=1)[hours]
        kinds = (rng.random(len(hours))[:, None] > thresholds[:, :-1]).sum(axis=1)
        log_min = self.log_median_min[kinds] + self.sigma[kinds] * rng.standard_normal(len(hours))
        minutes: FloatArray = np.exp(log_min)
        return minutes


class Sample(NamedTuple):
    """The stays of one lot: local hours of arrival, 0 to 23, and minutes, whole and above 0."""

    hours: IntArray
    minutes: FloatArray


def fit_mixture(lots: Sequence[Sample]) -> Mixture:
    """Return the mixture of a land use; each of its lots counts alike.

    Of the numbers of components that come close to all stays it is the smallest; with two lots or
    more, the smallest that foretells a lot from the others about as well as any.

    Raises:
        ValueError: there is no lot, or one without stays.
    """
    if not lots or not all(len(lot.minutes) for lot in lots):
        raise ValueError("no stays to fit")
    values = np.unique(np.concatenate([lot.minutes for lot in lots]))
    counts = [_counts(lot, values) for lot in lots]
    found = {
        size: _expect_and_maximise(values, counts, size) for size in range(1, MAX_COMPONENTS + 1)
    }
    alike = _alike(counts)
    close = [size for size, mixture in found.items() if _close(mixture, values, alike)]
    sizes = close or [MAX_COMPONENTS]
    if len(lots) == 1:
        return found[sizes[0]]
    worst = [max(_left_out(values, counts, size)) for size in sizes]
    good = min(worst) + AS_GOOD
    return found[next(size for size, far in zip(sizes, worst, strict=True) if far <= good)]


def leave_one_out(lots: Sequence[Sample]) -> list[float]:
    """Return each lot's distance to the mixture that is fitted to the others of its land use.

    The number of components is that of the whole use: it is of the kind of place, and one lot
    alone would be followed too closely or too loosely.
    """
    values = np.unique(np.concatenate([lot.minutes for lot in lots]))
    size = len(fit_mixture(lots).sigma)
    return _left_out(values, [_counts(lot, values) for lot in lots], size)


def distances(mixture: Mixture, values: FloatArray, counts: FloatArray) -> tuple[float, float]:
    """Return Kolmogorov-Smirnov distances to stays: of all, and by hour, their mean.

    Stays are recorded to the minute and from SHORTEST_MIN on, and the mixture is held against
    them as if it were, too.

    Args:
        mixture: what is held against them.
        values: the distinct stays in whole minutes, ascending.
        counts: how often each was seen by hour of arrival; shape (24, values).
    """
    expected, seen, share = _shares(mixture, values, counts)
    by_hour = np.abs(seen - expected).max(axis=1)
    whole = np.abs(share @ (seen - expected)).max()
    return float(whole), float(share @ by_hour)


def _close(mixture: Mixture, values: FloatArray, counts: FloatArray) -> bool:
    whole, by_hour = distances(mixture, values, counts)
    expected, seen, share = _shares(mixture, values, counts)
    found, real = (np.interp((0.5, 0.9), share @ below, values) for below in (expected, seen))
    off = np.abs(found / real - 1)
    apart = np.abs(_present(expected, values, share) - _present(seen, values, share))
    return bool(
        whole <= CLOSE
        and by_hour <= CLOSE_BY_HOUR
        and off.max() <= CLOSE_QUANTILES
        and apart.max() <= CLOSE_PRESENT
    )


def _present(below: FloatArray, values: FloatArray, share: FloatArray) -> FloatArray:
    """Return how many are there at each hour of the day, the most being 1; shape (24,).

    Those who have come are counted at the middle of each hour after: who stays overnight leaves in
    the morning, which shares of lengths do not show.

    Args:
        below: share of stays up to each value, by hour of arrival; shape (24, values).
        values: in minutes, ascending.
        share: of arrivals, by hour; shape (24,).
    """
    ages = np.arange(0, values[-1], _HOUR_MIN)
    lasting = np.array([1 - np.interp(ages, values, row, left=0.0, right=1.0) for row in below])
    there = np.zeros(HOURS)
    for hour, row in enumerate(share[:, None] * lasting):
        np.add.at(there, (hour + np.arange(len(ages))) % HOURS, row)
    shape: FloatArray = there / there.max()
    return shape


def _shares(
    mixture: Mixture, values: FloatArray, counts: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return shares of stays up to each value, expected and seen, (24, values); of hours, (24,)."""
    least = mixture.below(np.array([SHORTEST_MIN - 0.5]))
    expected = (mixture.below(values + 0.5) - least) / np.maximum(1 - least, 1e-12)
    arrivals = counts.sum(axis=1)
    seen = counts.cumsum(axis=1) / np.maximum(arrivals, 1e-12)[:, None]
    return expected, seen, arrivals / arrivals.sum()


def _alike(counts: list[FloatArray]) -> FloatArray:
    """Return counts of all lots, as if each had as many stays."""
    stays = float(np.mean([lot.sum() for lot in counts]))
    whole: FloatArray = np.sum([lot * (stays / lot.sum()) for lot in counts], axis=0)
    return whole


def _left_out(values: FloatArray, counts: list[FloatArray], size: int) -> list[float]:
    """Return each lot's distance to the mixture of `size` components of the others."""
    return [
        distances(
            _expect_and_maximise(values, [*counts[:out], *counts[out + 1 :]], size), values, own
        )[0]
        for out, own in enumerate(counts)
    ]


def _counts(lot: Sample, values: FloatArray) -> FloatArray:
    counts = np.zeros((HOURS, len(values)))
    np.add.at(counts, (lot.hours, np.searchsorted(values, lot.minutes)), 1.0)
    return counts


def _expect_and_maximise(values: FloatArray, lots: list[FloatArray], size: int) -> Mixture:
    """Return the likeliest mixture of `size` components, started from quantiles."""
    log_values = np.log(values)
    counts = _alike(lots)
    total = counts.sum(axis=0)
    ranks = (total.cumsum() - total / 2) / total.sum()
    means = np.interp((np.arange(size) + 0.5) / size, ranks, log_values)
    sigmas = np.full(size, max(_MIN_SIGMA, np.sqrt(np.cov(log_values, aweights=total)) / size))
    weights = np.full((HOURS, size), 1 / size)
    before = -np.inf
    for _ in range(_STEPS):
        z = (log_values[:, None] - means) / sigmas
        density = np.exp(-z * z / 2) / sigmas / np.sqrt(2 * np.pi)
        joint = weights[:, None, :] * density[None]
        whole = joint.sum(axis=2) + 1e-300
        share = joint * (counts / whole)[:, :, None]
        likelihood = float((counts * np.log(whole)).sum() / total.sum())
        if likelihood - before < _ENOUGH:
            break
        before = likelihood
        mass = share.sum(axis=1)
        prior = _PRIOR_STAYS * mass.sum(axis=0) / mass.sum()
        weights = (mass + prior) / (mass + prior).sum(axis=1, keepdims=True)
        by_value = share.sum(axis=0)
        size_of = by_value.sum(axis=0) + 1e-12
        means = (by_value * log_values[:, None]).sum(axis=0) / size_of
        spread = (by_value * (log_values[:, None] - means) ** 2).sum(axis=0) / size_of
        sigmas = np.maximum(np.sqrt(spread), _MIN_SIGMA)
    return Mixture(means, sigmas, weights)
