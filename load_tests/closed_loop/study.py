"""Policies over a year of reviews on the same arrivals, seed by seed."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from load_tests.closed_loop.flow import Flow
from load_tests.closed_loop.model import (
    CEILING_SHARE,
    CHARGED,
    FLOOR_SHARE,
    Floats,
    Ints,
    Period,
    central_lots,
    make_city,
    workdays,
)
from pricing.mechanism import (
    SFPARK_FULL,
    SFPARK_IDLE,
    Limits,
    Move,
    Situation,
    Steps,
    sfpark,
    size_aware,
    size_aware_band,
)
from simulators.demand.parameters import Parameters
from simulators.demand.prices import multiples
from simulators.demand.stays import HOURS

ELASTICITIES: Final = (-0.1, -0.2, -0.4, -0.8)
SFPARK_STEPS: Final = (15, 30, 50, 80, 120)
SFPARK_STEP: Final = 50
SFPARK_SMALL_STEP: Final = 10
# Ours, from cheap to dear: by how many arrivals may be turned away.
OUR_STEPS: Final = tuple(Steps(turned_away=each) for each in (100, 30, 12, 5, 2, 0.7))
OUR_STEP: Final = Steps()
# Of the mean price against arrivals turned away, where these are known: from cheap to dear.
BEST_WEIGHTS: Final = (0.4, 0.2, 0.1, 0.05, 0.025, 0.0125)
STATIC: Final = "static"
SFPARK: Final = "SFpark"
OURS: Final = "ours"
BEST: Final = "benefit known"
GRID_MINOR: Final = 10
MEASURED: Final = 3
IDLE: Final = 0.30
# How far a price that follows its benefit goes towards it, of the way that is left.
_FOLLOWS: Final = 0.4
# Periods that a review looks at: ten workdays. A city's looks at the twenty of four weeks.
_READ: Final = 2
# Rules and their constants were chosen on the seeds 1000 to 1005; the study takes others.
FIRST_SEED: Final = 2000

Decide = Callable[[Situation, Limits], Move]


@dataclass(frozen=True)
class Policy:
    """A rule at one size of step, in a city of one elasticity; `rule` None leaves prices alone.

    Attributes:
        step: SFpark's, fen an hour; ours, how far and towards what aim; of prices that follow
            their benefit, what the mean price weighs.
    """

    name: str
    elasticity: float
    step: int | float | Steps | None = None
    rule: Decide | None = None


@dataclass(frozen=True)
class Plan:
    """How much to simulate: `days` workdays stand for the four weeks of a period."""

    seeds: int = 10
    reviews: int = 12
    lots: int = 400
    days: int = 5
    first_seed: int = FIRST_SEED
    charged: tuple[int, int] = CHARGED

    def __post_init__(self) -> None:
        """Refuse a plan that could not run.

        Raises:
            ValueError: no seed, fewer than MEASURED - 1 reviews, no lot, or no charged hours.
        """
        if not 0 <= self.charged[0] < self.charged[1] <= HOURS:
            raise ValueError(f"charged hours {self.charged} are none of a day")
        if self.seeds < 1 or self.reviews < MEASURED - 1 or self.lots < 1:
            raise ValueError(f"needs a seed, {MEASURED - 1} reviews and a lot at least")


QUICK: Final = Plan(seeds=2, reviews=3, lots=30, days=1)

# Shares of arrivals: that found their first choice full; of these, at a lot whose price is at the
# ceiling, and at one whose price the last review moved; that found no space at all. Shares of
# lot-hours by the mean occupancy of the whole period, then by that of the single hour. Share of
# the lots under 30 %. Share of price changes that reverse the one before. Mean and standard
# deviation of price over base price. Earned, over what the demand would bring at base prices.
# Prices beyond floor or ceiling.
FIGURES: Final = (
    "blocked", "at_ceiling", "moving", "lost", "in_band", "in_plain", "hours_in_band",
    "hours_in_plain", "idle", "reversals", "mean_price", "spread", "revenue", "breaches",
)  # fmt: skip


def policies(elasticities: Sequence[float] = ELASTICITIES) -> list[Policy]:
    """Every policy of the study; prices that stay the same do so in any city."""
    made = [Policy(STATIC, 0.0)]
    for elasticity in elasticities:
        made += [
            Policy(
                SFPARK, elasticity, step, partial(sfpark, step=step, small_step=SFPARK_SMALL_STEP)
            )
            for step in SFPARK_STEPS
        ]
        made += [
            Policy(OURS, elasticity, steps, partial(size_aware, steps=steps)) for steps in OUR_STEPS
        ]
        made += [Policy(BEST, elasticity, weight) for weight in BEST_WEIGHTS]
    return made


class Loop:
    """One seed: a city, and every policy in it."""

    def __init__(
        self, plan: Plan, seed: int, tried: Sequence[Policy], known: Parameters | None = None
    ) -> None:
        """Make the city of a seed; its demand has the project's parameters when `known` is None."""
        self._rng = np.random.default_rng([370_200, seed])
        self.city = make_city(central_lots(plan.lots), seed, self._rng, known, plan.charged)
        self._plan, self._tried = plan, tried
        self._spaces: list[int] = self.city.capacity.tolist()
        self._bands = [size_aware_band(spaces) for spaces in self._spaces]
        self._limits = [
            Limits(int(base * FLOOR_SHARE), int(base * CEILING_SHARE), GRID_MINOR)
            for base in self.city.base_minor
        ]
        plain = np.broadcast_to(np.array([[SFPARK_IDLE], [SFPARK_FULL]]), (2, plan.lots))
        self._counted = np.stack([np.array(self._bands).T, plain])
        self.prices = np.tile(self.city.base_minor, (len(tried), 1))
        self.directions = np.zeros_like(self.prices)
        self._moved = np.zeros(self.prices.shape, bool)
        self._periods: list[Period] = []
        self.changes = np.zeros(len(tried))
        self.reversals = np.zeros(len(tried))
        self.breaches = np.zeros(len(tried))

    def run(self) -> Floats:
        """(policies, figures), the mean of the last periods, as FIGURES names them."""
        flow = Flow(self.city, len(self._tried), self._counted, self._rng)
        found = []
        # The period before the first fills the lots, and is read by the first review.
        for review in range(-1, self._plan.reviews + 1):
            period = flow.run(workdays(review, self._plan.days), self._demand())
            self._periods = [*self._periods, period][-_READ:]
            if review > self._plan.reviews - MEASURED:
                found.append(self._figures(period))
            if 0 <= review < self._plan.reviews:
                self._review()
        figures: Floats = np.array(found).mean(axis=0)
        return figures

    def _demand(self) -> Floats:
        """Demand of each policy and lot, as a multiple of that at base prices."""
        elasticity = np.array([each.elasticity for each in self._tried])[:, None]
        relative = self.prices / self.city.base_minor
        return multiples(relative, elasticity, self.city.usual, self.city.diversion)

    def _review(self) -> None:
        occupancy, full = (
            np.mean([getattr(each, name) for each in self._periods], axis=0)
            for name in ("occupancy", "full_share")
        )
        for at, policy in enumerate(self._tried):
            if policy.name == BEST and isinstance(policy.step, float):
                prices = self._by_benefit(at, policy.elasticity, policy.step, full[at])
                self._set(at, prices)
            elif policy.rule is not None:
                columns = zip(
                    self.prices[at].tolist(), self.directions[at].tolist(), occupancy[at].tolist(),
                    self._spaces, self._bands, full[at].tolist(), strict=True,
                )  # fmt: skip
                self._move(at, policy.rule, [Situation(*each) for each in columns])

    def _by_benefit(self, at: int, elasticity: float, weight: float, full: Floats) -> Ints:
        """Prices at which a bit more, anywhere, would turn away as many arrivals less.

        Of those who stay away from a lot, the share of the time that it is full would have been
        turned away: arrivals x that share x elasticity x (price / base) ** (elasticity - 1) of
        those at base prices. Where it is the same at all lots, no other prices of the same mean
        turn away less, but for those who change lots.
        """
        arrivals = sum(each.arrivals[at] for each in self._periods)
        saved = arrivals / np.mean(arrivals) * full / weight
        aim = np.clip(saved ** (1 / (1 - elasticity)), FLOOR_SHARE, CEILING_SHARE)
        base = self.city.base_minor
        price = (self.prices[at] / base) ** (1 - _FOLLOWS) * aim**_FOLLOWS
        floor, ceiling, _ = np.array(self._limits).T
        marks: Ints = np.rint(price * base / GRID_MINOR).astype(np.int64)
        return np.clip(marks * GRID_MINOR, floor, ceiling)

    def _move(self, at: int, rule: Decide, situations: list[Situation]) -> None:
        limited = zip(situations, self._limits, strict=True)
        self._set(at, np.array([rule(now, limits).price for now, limits in limited]))

    def _set(self, at: int, after: Ints) -> None:
        turned = np.sign(after - self.prices[at])
        self.changes[at] += np.count_nonzero(turned)
        self.reversals[at] += np.count_nonzero(turned * self.directions[at] < 0)
        self.breaches[at] += sum(
            not limits.floor <= price <= limits.ceiling
            for price, limits in zip(after.tolist(), self._limits, strict=True)
        )
        self._moved[at] = turned != 0
        self.directions[at] = np.where(turned != 0, turned, self.directions[at])
        self.prices[at] = after

    def _figures(self, period: Period) -> Floats:
        relative = self.prices / self.city.base_minor
        ceiling = self.prices >= [limits.ceiling for limits in self._limits]
        arrived = period.arrivals.sum(axis=1)
        earned = (period.occupancy * self.city.capacity * self.prices).sum(axis=1)
        (low, high), (sixty, eighty) = self._counted
        seen = period.occupancy
        rows = [
            period.blocked.sum(axis=1) / arrived,
            (period.blocked * ceiling).sum(axis=1) / arrived,
            (period.blocked * (self._moved & ~ceiling)).sum(axis=1) / arrived,
            period.lost / arrived,
            ((seen >= low) & (seen < high)).mean(axis=1),
            ((seen >= sixty) & (seen < eighty)).mean(axis=1),
            *period.hours_in.mean(axis=1).T,
            (seen < IDLE).mean(axis=1),
            self.reversals / np.maximum(1, self.changes),
            relative.mean(axis=1),
            relative.std(axis=1),
            earned / (self.city.usual * self.city.base_minor).sum(),
            self.breaches,
        ]
        return np.array(rows).T


def run(plan: Plan, tried: Sequence[Policy], jobs: int = 1) -> Iterator[Floats]:
    """(policies, figures) of each seed in turn; `jobs` seeds at once, each in a process."""
    seeds = range(plan.first_seed, plan.first_seed + plan.seeds)
    one = partial(_run_one, plan, tried)
    if jobs == 1:
        yield from map(one, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(one, seeds)


def _run_one(plan: Plan, tried: Sequence[Policy], seed: int) -> Floats:
    return Loop(plan, seed, tried).run()
