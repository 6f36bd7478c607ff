"""Policies over a year of reviews on the same arrivals, seed by seed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from load_tests.closed_loop.flow import Flow
from load_tests.closed_loop.model import (
    CEILING_SHARE,
    FLOOR_SHARE,
    NEIGHBOURS,
    STEP_H,
    Arrivals,
    Floats,
    Ints,
    Period,
    demand,
    make_city,
)
from pricing.mechanism_rules import (
    MOST_STEP,
    SFPARK_FULL,
    SFPARK_IDLE,
    Limits,
    Move,
    Situation,
    sfpark,
    size_aware,
    size_aware_band,
)

ELASTICITIES: Final = (-0.1, -0.2, -0.4, -0.8)
SFPARK_STEPS: Final = (15, 30, 50, 80, 120)
OUR_STEPS: Final = (0.05, 0.08, 0.12, 0.16, 0.25)
SFPARK_STEP: Final = 50
SFPARK_SMALL_STEP: Final = 10
OUR_STEP: Final = 0.16
GRID_MINOR: Final = 10
MEASURED: Final = 3
IDLE: Final = 0.30

Decide = Callable[[Situation, Limits], Move]


@dataclass(frozen=True)
class Policy:
    """A rule at one size of step, in a city of one elasticity; `rule` None leaves prices alone."""

    name: str
    elasticity: float
    step: float
    rule: Decide | None


@dataclass(frozen=True)
class Plan:
    """How much to simulate: a period of `hours` hours stands for the time between two reviews."""

    seeds: int = 20
    reviews: int = 12
    lots: int = 400
    hours: int = 36

    def __post_init__(self) -> None:
        """Refuse a plan that could not run.

        Raises:
            ValueError: no seed, fewer than MEASURED - 1 reviews, or no more lots than neighbours.
        """
        if self.seeds < 1 or self.reviews < MEASURED - 1 or self.lots <= NEIGHBOURS:
            raise ValueError(
                f"needs a seed, {MEASURED - 1} reviews and {NEIGHBOURS + 1} lots at least"
            )


QUICK: Final = Plan(seeds=2, reviews=3, lots=30, hours=6)

# Shares of arrivals: that found their first choice full, and that found no space at all. Shares of
# lot-hours by the mean occupancy of the whole period, then by that of the single hour. Share of
# the lots under 30 %. Share of price changes that reverse the one before. Mean and standard
# deviation of price over base price. Earned, over what the demand would bring at base prices.
# Prices beyond floor or ceiling.
FIGURES: Final = (
    "blocked", "lost", "in_band", "in_plain", "hours_in_band", "hours_in_plain", "idle",
    "reversals", "mean_price", "spread", "revenue", "breaches",
)  # fmt: skip


def policies(elasticities: Sequence[float] = ELASTICITIES) -> list[Policy]:
    """Every policy of the study."""
    made = []
    for elasticity in elasticities:
        made.append(Policy("static", elasticity, 0.0, None))
        made += [Policy("SFpark", elasticity, step, _sfpark(step)) for step in SFPARK_STEPS]
        made += [Policy("ours", elasticity, step, _ours(step)) for step in OUR_STEPS]
    return made


def _sfpark(step: int) -> Decide:
    return lambda now, limits: sfpark(now, limits, step, SFPARK_SMALL_STEP)


def _ours(step: float) -> Decide:
    return lambda now, limits: size_aware(now, limits, step, MOST_STEP)


class Loop:
    """One seed: a city, and every policy in it."""

    def __init__(self, plan: Plan, seed: int, tried: Sequence[Policy]) -> None:
        self._rng = np.random.default_rng([370_200, seed])
        self._city = make_city(plan.lots, self._rng)
        self._plan, self._tried = plan, tried
        self._bands = [size_aware_band(int(spaces)) for spaces in self._city.capacity]
        self._limits = [
            Limits(int(base * FLOOR_SHARE), int(base * CEILING_SHARE), GRID_MINOR)
            for base in self._city.base_minor
        ]
        self._counted = np.stack([np.array(self._bands).T, self._plain()])
        self.prices: Ints = np.tile(self._city.base_minor, (len(tried), 1))
        self.directions = np.zeros_like(self.prices)
        self.changes = np.zeros(len(tried))
        self.reversals = np.zeros(len(tried))
        self.breaches = np.zeros(len(tried))

    def run(self) -> Floats:
        """(policies, figures), the mean of the last periods, as FIGURES names them."""
        flow = Flow(self._city, len(self._tried), self._counted)
        elasticity = np.array([each.elasticity for each in self._tried])
        found = []
        self._period(flow, elasticity, warm=True)
        for review in range(self._plan.reviews + 1):
            period = self._period(flow, elasticity)
            if review > self._plan.reviews - MEASURED:
                found.append(self._figures(period))
            if review < self._plan.reviews:
                self._review(period)
        figures: Floats = np.array(found).mean(axis=0)
        return figures

    def _plain(self) -> Floats:
        ends = np.array([[SFPARK_IDLE], [SFPARK_FULL]])
        return np.broadcast_to(ends, (2, self._plan.lots)).astype(np.float64)

    def _period(self, flow: Flow, elasticity: Floats, *, warm: bool = False) -> Period:
        steps = round((12 if warm else self._plan.hours) / STEP_H)
        drawn = Arrivals(self._city, steps, self._rng)
        seen = [drawn.under(each) for each in demand(self._city, self.prices, elasticity)]
        return flow.run([np.stack(stays, axis=1) for stays in zip(*seen, strict=True)])

    def _review(self, period: Period) -> None:
        beside = period.full_share[:, self._city.neighbours].max(axis=2).tolist()
        occupancy, full = period.occupancy.tolist(), period.full_share.tolist()
        for at, policy in enumerate(self._tried):
            if policy.rule is None:
                continue
            told = zip(
                self.prices[at].tolist(), self.directions[at].tolist(), occupancy[at],
                self._bands, full[at], beside[at], strict=True,
            )  # fmt: skip
            self._move(at, policy.rule, [Situation(*each) for each in told])

    def _move(self, at: int, rule: Decide, situations: list[Situation]) -> None:
        limited = zip(situations, self._limits, strict=True)
        after = np.array([rule(now, limits).price for now, limits in limited])
        turned = np.sign(after - self.prices[at])
        self.changes[at] += np.count_nonzero(turned)
        self.reversals[at] += np.count_nonzero(turned * self.directions[at] < 0)
        self.breaches[at] += sum(
            not limits.floor <= price <= limits.ceiling
            for price, limits in zip(after.tolist(), self._limits, strict=True)
        )
        self.directions[at] = np.where(turned != 0, turned, self.directions[at])
        self.prices[at] = after

    def _figures(self, period: Period) -> Floats:
        relative = self.prices / self._city.base_minor
        earned = (period.occupancy * self._city.capacity * self.prices).sum(axis=1)
        (low, high), (sixty, eighty) = self._counted
        seen = period.occupancy
        rows = [
            period.blocked.sum(axis=1) / period.arrivals.sum(axis=1),
            period.lost / period.arrivals.sum(axis=1),
            ((seen >= low) & (seen < high)).mean(axis=1),
            ((seen >= sixty) & (seen < eighty)).mean(axis=1),
            *period.hours_in.mean(axis=1).T,
            (seen < IDLE).mean(axis=1),
            self.reversals / np.maximum(1, self.changes),
            relative.mean(axis=1),
            relative.std(axis=1),
            earned / (self._city.offered * self._city.base_minor).sum(),
            self.breaches,
        ]
        return np.array(rows).T


def run(plan: Plan, tried: Sequence[Policy]) -> Iterator[Floats]:
    """(policies, figures) of each seed."""
    for seed in range(plan.seeds):
        yield Loop(plan, seed, tried).run()
