"""Prices of someone who knows the demand of an ordinary workday, and how it answers.

Not a rule: no city knows this. In steady states by formula, for parts of workdays of several levels
(Erlang's for each lot; those refused look on at near lots twice, as if they came by chance), the
share of arrivals blocked, and the mean price by its weight, are made as small as a descent along
the gradient finds. The prices found then hold from the start in the same simulation as the rules. A
descent finds a valley, not for certain the deepest, and the formula leaves out seasons, hours
within the parts, and that those refused come in bursts: a hint of what can be reached, no bound.

The gradient goes through the steady state by its adjoint; the steps are Adam's (Kingma and Ba,
2015, algorithm 1).
"""

from typing import Final, NamedTuple

import numpy as np

from load_tests.closed_loop.model import CEILING_SHARE, FLOOR_SHARE, NOWHERE, City, Floats, Ints
from simulators.demand.flow import LOOK_ON
from simulators.demand.prices import multiples

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
    spill, usual = _spill(city), city.usual
    shape = (len(elasticity), len(city.capacity))
    logs, mean, square = (np.zeros(shape) for _ in range(3))
    loads = [np.tile(offered, (shape[0], 1)) for offered in city.offered]
    adjoints = [np.zeros(shape) for _ in city.offered]
    for number in range(1, _ROUNDS + 1):
        prices = np.exp(logs)
        demand = multiples(prices, elasticity[:, None], usual, city.diversion)
        steady = [
            _steady(city, spill, demand * offered, load)
            for offered, load in zip(city.offered, loads, strict=True)
        ]
        loads = [now.load for now in steady]
        slope, adjoints = _by_own(city, spill, steady, adjoints)
        slope *= elasticity[:, None] * prices ** elasticity[:, None] * shape[1]
        slope += weight[:, None] * prices
        mean = _KEPT[0] * mean + (1 - _KEPT[0]) * slope
        square = _KEPT[1] * square + (1 - _KEPT[1]) * slope**2
        evened = (mean / (1 - _KEPT[0] ** number), square / (1 - _KEPT[1] ** number))
        size = _STEP if number < _FINE_FROM else _FINE_STEP
        logs = logs - size * evened[0] / (np.sqrt(evened[1]) + _TINY)
        logs = np.clip(logs, np.log(FLOOR_SHARE), np.log(CEILING_SHARE))
    marks = np.exp(logs) * city.base_minor / grid_minor
    return (np.rint(marks) * grid_minor).astype(np.int64)


def _spill(city: City) -> Floats:
    """(from, to) where those refused go next, each near lot in turn."""
    spill = np.zeros((len(city.capacity), len(city.capacity)))
    for lot, near in enumerate(city.near):
        others = near[near != NOWHERE]
        if len(others):
            spill[lot, others] = LOOK_ON / len(others)
    return spill


def _steady(city: City, spill: Floats, wanted: Floats, load: Floats) -> Steady:
    """The steady state, from one that was near."""
    blocked = blocked_shares(city.capacity, load)
    for _ in range(_SWEEPS):
        once = (wanted * blocked) @ spill
        load = wanted + once + (once * blocked) @ spill
        blocked = blocked_shares(city.capacity, load)
    return Steady(wanted, load, blocked)


def _by_own(
    city: City, spill: Floats, steady: list[Steady], adjoints: list[Floats]
) -> tuple[Floats, list[Floats]]:
    """The share blocked of all arrivals by each lot's own demand (multiples of the usual one)."""
    weighed = list(zip(city.shares.tolist(), steady, strict=True))
    total = sum(part * now.wanted.sum(axis=1, keepdims=True) for part, now in weighed)
    refused = sum(
        part * (now.wanted * now.blocked).sum(axis=1, keepdims=True) for part, now in weighed
    )
    by_own, fresh = np.zeros_like(steady[0].wanted), []
    for (part, now), offered, adjoint in zip(weighed, city.offered, adjoints, strict=True):
        by_wanted, updated = _by_wanted(city, spill, now, adjoint, (total, refused / total))
        fresh.append(updated)
        moved = (by_wanted * offered / city.usual) @ city.diversion.T
        by_own += part * (by_wanted * offered - moved * city.usual)
    return by_own, fresh


def blocked_shares(capacity: Ints, load: Floats) -> Floats:
    """Erlang's formula for every lot and policy at once, (policies, lots)."""
    order = np.argsort(-capacity, kind="stable")
    sizes, ordered = capacity[order], load[:, order]
    blocked = np.ones_like(ordered)
    steps = np.arange(1, int(sizes[0]) + 1)
    larger = np.searchsorted(-sizes, -steps, side="right")
    for number, lots in zip(steps.tolist(), larger.tolist(), strict=True):
        offered = ordered[:, :lots] * blocked[:, :lots]
        blocked[:, :lots] = offered / (number + offered)
    found = np.empty_like(blocked)
    found[:, order] = blocked
    return found


def _by_wanted(
    city: City, spill: Floats, now: Steady, adjoint: Floats, of_all: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """The share blocked by the demand of each lot in one case; the adjoint by its load.

    `of_all` are the demand and the share blocked of all cases.
    """
    wanted, load, blocked = now
    total, share = of_all
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
