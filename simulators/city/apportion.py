"""Whole numbers that add up."""

from collections.abc import Sequence

import numpy as np


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
        message = f"{total} is too few for {len(weights)} shares of at least {minimum}"
        raise ValueError(message)
    share = np.asarray(weights, dtype=np.float64)
    exact = rest * share / share.sum() if rest else np.zeros(len(weights))
    whole = np.floor(exact).astype(np.int64)
    by_remainder = np.argsort(-(exact - whole), kind="stable")
    whole[by_remainder[: rest - int(whole.sum())]] += 1
    return [int(n) + minimum for n in whole]
