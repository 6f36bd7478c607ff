"""Prices of someone who knows the demand, and how it answers: about the best that can be reached.

Not a rule: no city knows this. In a steady state by formula (Erlang's for each lot; those refused
try two neighbours in turn, as if they came by chance) the share of arrivals blocked, and the mean
price by its weight, are made as small as a descent along the gradient finds. The prices found then
hold from the start in the same simulation as the rules. A descent finds a valley, not for certain
the deepest, and the formula leaves out that those refused come in bursts: the bound is near, not
strict.

The gradient goes through the steady state by its adjoint; the steps are Adam's (Kingma and Ba,
2015, algorithm 1).
"""

from typing import Final, NamedTuple

import numpy as np

from load_tests.closed_loop.model import (
    CEILING_SHARE,
    FLOOR_SHARE,
    LEAST_DEMAND,
    MOST_DEMAND,
    NEIGHBOURS,
    City,
    Floats,
    Ints,
)

_ROUNDS: Final = 200
_FINE_FROM: Final = 130
_STEP: Final = 0.06
_FINE_STEP: Final = 0.012
_SWEEPS: Final = 2
_KEPT: Final = (0.9, 0.98)
_TINY: Final = 1e-8


class Steady(NamedTuple):
    """A steady state by formula, arrays (policies, lots).

    Attributes:
        wanted: demand at the lot of first choice, erlangs.
        load: with those who were refused elsewhere.
        blocked: share of the load that each lot blocks.
    """

    wanted: Floats
    load: Floats
    blocked: Floats


def best_prices(city: City, elasticity: Floats, weight: Floats, grid_minor: int) -> Ints:
    """Prices (policies, lots), fen an hour, for each elasticity (policies,) and price weight.

    `weight` is of the mean price, as a multiple of the base, against the share blocked.
    """
    spill = _spill(city)
    shape = (len(elasticity), len(city.capacity))
    logs, load, adjoint = np.zeros(shape), np.tile(city.offered, (shape[0], 1)), np.zeros(shape)
    mean, square = np.zeros(shape), np.zeros(shape)
    for number in range(1, _ROUNDS + 1):
        own = np.exp(elasticity[:, None] * logs)
        now = _steady(city, spill, own, load)
        load = now.load
        by_wanted, adjoint = _by_wanted(city, spill, now, adjoint)
        slope = elasticity[:, None] * own * city.offered
        slope = slope * (by_wanted - by_wanted @ city.diversion.T) * shape[1]
        slope += weight[:, None] * np.exp(logs)
        mean = _KEPT[0] * mean + (1 - _KEPT[0]) * slope
        square = _KEPT[1] * square + (1 - _KEPT[1]) * slope**2
        evened = (mean / (1 - _KEPT[0] ** number), square / (1 - _KEPT[1] ** number))
        size = _STEP if number < _FINE_FROM else _FINE_STEP
        logs = logs - size * evened[0] / (np.sqrt(evened[1]) + _TINY)
        logs = np.clip(logs, np.log(FLOOR_SHARE), np.log(CEILING_SHARE))
    marks = np.exp(logs) * city.base_minor / grid_minor
    return (np.rint(marks) * grid_minor).astype(np.int64)


def _spill(city: City) -> Floats:
    """(from, to) where those refused go next, each neighbour in turn."""
    lots = len(city.capacity)
    spill = np.zeros((lots, lots))
    np.put_along_axis(spill, city.neighbours, 1 / NEIGHBOURS, axis=1)
    return spill


def _steady(city: City, spill: Floats, own: Floats, load: Floats) -> Steady:
    """The steady state, from one that was near."""
    moved = (1 - own) * city.offered @ city.diversion
    share = np.clip(own + moved / city.offered, LEAST_DEMAND, MOST_DEMAND)
    wanted = share * city.offered
    blocked = blocked_shares(city.capacity, load)
    for _ in range(_SWEEPS):
        once = (wanted * blocked) @ spill
        load = wanted + once + (once * blocked) @ spill
        blocked = blocked_shares(city.capacity, load)
    return Steady(wanted, load, blocked)


def blocked_shares(capacity: Ints, load: Floats) -> Floats:
    """Erlang's formula for every lot and policy at once, (policies, lots)."""
    order = np.argsort(-capacity, kind="stable")
    sizes, ordered = capacity[order], load[:, order]
    blocked = np.ones_like(ordered)
    for number in range(1, int(sizes[0]) + 1):
        lots = int(np.searchsorted(-sizes, -number, side="right"))
        offered = ordered[:, :lots] * blocked[:, :lots]
        blocked[:, :lots] = offered / (number + offered)
    found = np.empty_like(blocked)
    found[:, order] = blocked
    return found


def _by_wanted(city: City, spill: Floats, now: Steady, adjoint: Floats) -> tuple[Floats, Floats]:
    """The share blocked of all arrivals, by each lot's own demand; and the adjoint by its load."""
    wanted, load, blocked = now
    total = wanted.sum(axis=1, keepdims=True)
    share = (wanted * blocked).sum(axis=1, keepdims=True) / total
    # Erlang's formula by the load, B (c/a - 1 + B).
    steep = blocked * (city.capacity / load - 1 + blocked)
    once = (wanted * blocked) @ spill
    direct = wanted * steep / total
    for _ in range(_SWEEPS):
        back = adjoint @ spill.T
        adjoint = direct + steep * (wanted * (back + (blocked * back) @ spill.T) + once * back)
    back = adjoint @ spill.T
    by_wanted = adjoint + blocked * (back + (blocked * back) @ spill.T)
    return by_wanted + (blocked - share) / total, adjoint
