"""Random numbers that are functions of a seed, a name and a day: the levels of days. No state.

Two runs that start on different days, or know different lots, agree about each lot and day.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Keys = NDArray[np.uint64]

# Days, or hours, that a level remembers. With a memory of 0.9, 0.01 % of its variance is older.
_REMEMBERED: Final = 45
_HOURS: Final = 24
# Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators": SplitMix64.
_GAMMA: Final = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX: Final = ((30, np.uint64(0xBF58_476D_1CE4_E5B9)), (27, np.uint64(0x94D0_49BB_1331_11EB)))
_LAST_SHIFT: Final = 31


def keys(seed: int, purpose: str, names: Iterable[str]) -> Keys:
    """Return a key for each name, different for each seed and purpose; shape (names,)."""
    digests = [
        hashlib.blake2b(f"{seed}:{purpose}:{name}".encode(), digest_size=8).digest()
        for name in names
    ]
    return np.array([int.from_bytes(digest, "big") for digest in digests], dtype=np.uint64)


def uniforms(of: Keys, numbers: NDArray[np.int64]) -> FloatArray:
    """Return a uniform number in [0, 1) for each key and number, which are broadcast."""
    mixed = of + (numbers.astype(np.uint64) + np.uint64(1)) * _GAMMA
    for shift, factor in _MIX:
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * factor
    mixed ^= mixed >> np.uint64(_LAST_SHIFT)
    shares: FloatArray = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return shares


def normals(of: Keys, numbers: NDArray[np.int64]) -> FloatArray:
    """Return a standard normal number for each key and number (Box and Muller, 1958)."""
    radius: FloatArray = np.sqrt(-2.0 * np.log1p(-uniforms(of, 2 * numbers)))
    values: FloatArray = radius * np.cos(2.0 * np.pi * uniforms(of, 2 * numbers + 1))
    return values


def day_levels(of: Keys, day: int, sd: FloatArray, memory: FloatArray) -> FloatArray:
    """Return each key's level of a day: normal with `sd`, and an AR(1) from day to day.

    Args:
        of: a key for each level.
        day: local days since 1970-01-01.
        sd: standard deviation of each level.
        memory: correlation of a level with that of the day before, 0 to below 1.

    Returns:
        The levels; their long-run mean is 0. Shape (keys,).
    """
    ages = np.arange(_REMEMBERED)[:, None]
    weights = memory**ages
    weights /= np.sqrt((weights**2).sum(axis=0))
    levels: FloatArray = sd * (weights * normals(of, day - ages)).sum(axis=0)
    return levels


def wanderings(of: Keys, day: int, sd: FloatArray, hours: FloatArray) -> FloatArray:
    """Return how each key's level wanders within a day, on the hour; shape (25, keys).

    An AR(1) from hour to hour whose correlation is exp(-t / hours), of the deviation `sd` and
    mean 0. The last row is the first one of the next day.

    Args:
        of: a key for each level.
        day: local days since 1970-01-01.
        sd: standard deviation of each level.
        hours: time in which the correlation of each falls to 1/e, at most some 12.
    """
    first = day * _HOURS - _REMEMBERED
    numbers = np.arange(first, (day + 1) * _HOURS + 1)[:, None]
    innovations = normals(of, numbers)
    memory = np.exp(-1.0 / hours)
    fresh = np.sqrt(1.0 - memory**2)
    level = innovations[0]
    rows = [level]
    for innovation in innovations[1:]:
        level = memory * level + fresh * innovation
        rows.append(level)
    levels: FloatArray = sd * np.array(rows[_REMEMBERED:])
    return levels
