"""Ours against SFpark's rule at the same mean price, paired by seed, with 95 % intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from load_tests.closed_loop.model import Floats
from load_tests.closed_loop.study import FIGURES, OURS, SFPARK, Policy

TO_REACH_FEWER: Final = 0.20
FROM_ELASTICITY: Final = -0.2
MOST_REVERSALS: Final = 0.02
_Z: Final = 1.959964


@dataclass(frozen=True)
class Interval:
    """A mean and the half width of its 95 % interval."""

    mean: float
    half: float

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half


@dataclass(frozen=True)
class Matched:
    """Another curve less SFpark's at the mean price of SFpark's rule with one size of step.

    Attributes:
        step: SFpark's, fen an hour.
        mean_price: SFpark's, over the base price, and `other_price` the other's: the same, or
            lower where no step of the other makes prices so dear.
        theirs: arrivals blocked under SFpark's rule, of all arrivals.
        in_band: share of lots in the size-aware band by their mean occupancy, the other's less
            SFpark's.
        hours_in_band: the same of lot-hours, each by its own occupancy.
        blocked: arrivals blocked, of all arrivals, the other's less SFpark's.
        fewer: share of SFpark's blocked arrivals that the other does not block.
    """

    elasticity: float
    step: int
    mean_price: float
    other_price: float
    theirs: float
    in_band: Interval
    hours_in_band: Interval
    blocked: Interval
    fewer: Interval

    @property
    def wanted_fewer(self) -> float:
        """Share of SFpark's blocked arrivals that is not to be blocked."""
        return TO_REACH_FEWER if self.elasticity <= FROM_ELASTICITY else 0.0

    @property
    def fewer_reached(self) -> bool:
        """Whether fewer arrivals are blocked, beyond chance, and by as much as wanted."""
        return self.fewer.low > 0 and self.fewer.mean >= self.wanted_fewer


def interval(values: Floats) -> Interval:
    """The mean with Student's 95 % interval; a single value has no width.

    The quantile by the expansion in Abramowitz and Stegun (1964), 26.7.5: within 1 % from 4
    values on, too narrow below.
    """
    number = len(values)
    if number < 2:  # noqa: PLR2004
        return Interval(float(values[0]), math.inf)
    free = number - 1
    quantile = (
        _Z
        + (_Z**3 + _Z) / (4 * free)
        + (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / (96 * free**2)
        + (3 * _Z**7 + 19 * _Z**5 + 17 * _Z**3 - 15 * _Z) / (384 * free**3)
    )
    half = quantile * float(np.std(values, ddof=1)) / math.sqrt(number)
    return Interval(float(np.mean(values)), half)


def matched(tried: Sequence[Policy], results: Floats, name: str = OURS) -> list[Matched]:
    """Compare at the mean price of every step of SFpark's; `results` (seeds, policies, figures)."""
    found = []
    for at, policy in enumerate(tried):
        if policy.name == SFPARK:
            curve = [
                place
                for place, other in enumerate(tried)
                if other.name == name and other.elasticity == policy.elasticity
            ]
            found.append(_at_the_price(policy, results[:, at], results[:, curve]))
    return found


def _at_the_price(policy: Policy, theirs: Floats, curves: Floats) -> Matched:
    pairs = zip(theirs, curves, strict=True)
    other = np.array([_interpolated(seed[_at("mean_price")], curve) for seed, curve in pairs])
    less = other - theirs
    fewer = -less[:, _at("blocked")] / theirs[:, _at("blocked")]
    return Matched(
        elasticity=policy.elasticity,
        step=round(policy.step) if isinstance(policy.step, int | float) else 0,
        mean_price=float(theirs[:, _at("mean_price")].mean()),
        other_price=float(other[:, _at("mean_price")].mean()),
        theirs=float(theirs[:, _at("blocked")].mean()),
        in_band=interval(less[:, _at("in_band")]),
        hours_in_band=interval(less[:, _at("hours_in_band")]),
        blocked=interval(less[:, _at("blocked")]),
        fewer=interval(fewer),
    )


def _interpolated(price: float, curve: Floats) -> Floats:
    """The figures (figures,) of a curve (steps, figures) where its mean price is `price`.

    Beyond its dearest point, that point: a comparison at a lower price. Below its cheapest there
    is nothing fair to compare with: not a number.
    """
    ordered = curve[np.argsort(curve[:, _at("mean_price")])]
    prices = ordered[:, _at("mean_price")]
    columns = [np.interp(price, prices, column, left=np.nan) for column in ordered.T]
    return np.array(columns)


def _at(figure: str) -> int:
    return FIGURES.index(figure)


@dataclass(frozen=True)
class Goal:
    """A figure to reach, and the figure measured."""

    name: str
    measured: str
    reached: bool


def goals(tried: Sequence[Policy], results: Floats) -> list[Goal]:
    """Compare the study with its goals, at every step of SFpark's and of ours."""
    made = [goal for one in matched(tried, results) for goal in _price_goals(one)]
    return made + _ours_goals(tried, results)


def _price_goals(one: Matched) -> list[Goal]:
    where = f"{one.elasticity}, SFpark's step {one.step / 100:.2f}"
    bar = f"by {one.wanted_fewer:.0%} or more" if one.wanted_fewer else "at all"
    in_band = {
        "by their mean occupancy": one.in_band,
        "by the hour": one.hours_in_band,
    }
    fewer = f"{one.fewer.mean:.1%} ± {one.fewer.half:.1%} fewer"
    return [
        *(
            Goal(
                f"{where}: more lot-hours in the size-aware band, {how}",
                f"{100 * more.mean:+.1f} ± {100 * more.half:.1f} points",
                more.low > 0,
            )
            for how, more in in_band.items()
        ),
        Goal(f"{where}: fewer arrivals blocked, {bar}", fewer, one.fewer_reached),
    ]


def _ours_goals(tried: Sequence[Policy], results: Floats) -> list[Goal]:
    ours = [at for at, policy in enumerate(tried) if policy.name == OURS]
    breaches = int(results[:, ours, _at("breaches")].sum())
    most = max(results[:, ours, _at("reversals")].mean(axis=0).tolist(), default=math.nan)
    reversals = f"reversals under {MOST_REVERSALS:.0%} of changes, at every step of ours"
    return [
        Goal(reversals, f"{most:.2%} at most", most < MOST_REVERSALS),
        Goal("no floor or ceiling crossed", f"{breaches} crossed", breaches == 0),
    ]
