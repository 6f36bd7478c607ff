"""Whole numbers that add up."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def apportion(total: int, weights: Sequence[float], minimum: int = 0) -> list[int]:
    """Split `total` in proportion to `weights`, by largest remainder (Hamilton's method).

    Args:
        total: What is split; at least `minimum` times the number of weights.
        weights: Not negative, not all zero unless `total` is 0 or spent on the minimum.
        minimum: What each gets before the rest is split.

    Returns:
        One number for each weight; they add up to `total`. Ties go to the earlier one.

    Raises:
        ValueError: If `total` is too small for the minimum.
    """
    rest = total - minimum * len(weights)
    if rest < 0:
        raise ValueError(f"{total} is too few for {len(weights)} shares of at least {minimum}")
    share = np.asarray(weights, dtype=np.float64)
    exact = rest * share / share.sum() if rest else np.zeros(len(weights))
    return [int(number) + minimum for number in round_to_total(exact, rest)]


def round_to_total(exact: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Round down, or up where the remainders are largest, so that the sum is `total`."""
    rounded = np.floor(exact).astype(np.int64)
    by_remainder = np.argsort(rounded - exact, kind="stable")
    rounded[by_remainder[: total - int(rounded.sum())]] += 1
    return rounded
