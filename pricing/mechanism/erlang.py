"""Erlang's loss formula: how often a lot of so many spaces turns an arrival away.

For Poisson arrivals that leave when they find no free space, the share B(c, a) of arrivals blocked
by c spaces under the offered load a (arrivals per hour x mean stay in hours) follows

    B(0, a) = 1,    B(n, a) = a B(n-1, a) / (n + a B(n-1, a)),

whatever the distribution of the stays: A. K. Erlang, "Solution of some problems in the theory of
probabilities of significance in automatic telephone exchanges", Elektroteknikeren 13 (1917); the
recursion as in ITU-D, Teletraffic Engineering Handbook (2005), section 7.3. All its terms are
positive and at most 1, so that it loses no digits, however large the lot.
"""

from functools import lru_cache
from typing import Final

BLOCKING: Final = 0.05
_ROUNDS: Final = 60
_EXACT: Final = 1e-12


def blocked_share(spaces: int, offered: float) -> float:
    """Share of arrivals that `spaces` spaces block (0..1) under `offered` erlangs.

    Raises:
        ValueError: a negative number of spaces or a negative load.
    """
    if spaces < 0 or not offered >= 0:
        raise ValueError("neither spaces nor the offered load can be negative")
    blocked = 1.0
    for number in range(1, spaces + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return blocked


@lru_cache(maxsize=4096)
def offered_load(spaces: int, blocking: float = BLOCKING) -> float:
    """Offered load, in erlangs, of which `spaces` spaces block the share `blocking`.

    Raises:
        ValueError: no spaces, or a share outside the open interval 0..1.
    """
    if spaces < 1 or not 0 < blocking < 1:
        raise ValueError("needs a space, and a share between 0 and 1")
    # What is carried, a (1 - B), is less than the spaces: that bounds the load from above.
    low, high = 0.0, spaces / (1 - blocking)
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        if blocked_share(spaces, middle) < blocking:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def busy_share(spaces: int, blocking: float = BLOCKING) -> float:
    """Mean occupancy (0..1) at which a lot of `spaces` spaces blocks the share `blocking`.

    The carried load over the spaces: 0.59 of 10 spaces, 0.85 of 50, 0.96 of 300 at 5 %.

    Raises:
        ValueError: as `offered_load`.
    """
    return offered_load(spaces, blocking) * (1 - blocking) / spaces


@lru_cache(maxsize=65_536)
def load_behind(spaces: int, busy: float) -> float:
    """Offered load, in erlangs, under which the mean occupancy of `spaces` spaces is `busy`.

    What of it is carried, a (1 - B), grows with the load and stays below the spaces.

    Raises:
        ValueError: no spaces, or an occupancy outside the half-open interval 0..1.
    """
    if spaces < 1 or not 0 <= busy < 1:
        raise ValueError("needs a space, and an occupancy from 0 to below 1")
    # Newton's steps from below: what is carried is concave in the load, so that none overshoots.
    load = busy * spaces
    for _ in range(_ROUNDS):
        blocked = blocked_share(spaces, load)
        missing = busy * spaces - load * (1 - blocked)
        if missing <= _EXACT * spaces:
            break
        load += missing / (1 - blocked * (1 + spaces - load * (1 - blocked)))
    return load
