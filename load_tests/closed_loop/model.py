"""Lots of the simulated city, their demand at base prices, and the arrivals of many policies.

Arrivals, stays, levels of days and near lots are those of `simulators.demand`. Many policies are
run side by side on the same arrivals: each arrival carries a mark, and a policy sees those whose
mark lies under its demand (thinning), so that policies differ by their prices alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.city.build import build_city
from simulators.demand.calendar import Calendar
from simulators.demand.flow import LOOK_ON, STEP_S
from simulators.demand.near import NEAR_LOTS, metres_from, near_lots
from simulators.demand.parameters import Parameters, load
from simulators.demand.prices import MOST_DEMAND, diversion
from simulators.demand.rates import Rates
from simulators.registry import Lot

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CITY_LOTS: Final = 1_670
CITY_SEED: Final = 370_200
# 五四广场, the middle of the city: the study takes the lots nearest to it.
_CENTRE: Final = (120.3797, 36.0631)
# Larger lots are few, and would be most of the work.
LARGEST: Final = 500
UTC_OFFSET_S: Final = 8 * 3_600
_FIRST: Final = datetime.fromisoformat("2026-01-06T00:00+08:00")
"""A Tuesday. Periods begin four weeks apart."""
APART_DAYS: Final = 28
_EPOCH: Final = date(1970, 1, 1).toordinal()
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
CHARGED: Final = (9, 18)
FLOOR_SHARE: Final = 0.5
CEILING_SHARE: Final = 3
NOWHERE: Final = -1


@dataclass(frozen=True)
class City:
    """Lots and what they are asked at their base price; arrays are indexed by lot.

    Attributes:
        rates: who comes, and how long they stay.
        charged: local hours, from and to, that are charged and measured.
        capacity: spaces.
        usual: drivers whom the lots would hold if none were full, at the base prices, on the mean
            of the charged hours of an ordinary workday; (lots,).
        base_minor: prices at the start, fen an hour.
        near: nearest first, (lots, NEAR_LOTS); NOWHERE where there are no more.
        diversion: (from, to) demand moved for each unit of demand that leaves.
    """

    rates: Rates
    charged: tuple[int, int]
    capacity: Ints
    usual: Floats
    base_minor: Ints
    near: Ints
    diversion: Floats


@dataclass(frozen=True)
class Period:
    """What was measured between two reviews; arrays (policies, lots) if nothing else is said.

    Attributes:
        occupancy: mean, 0..1.
        full_share: of time without a free space.
        arrivals: at the lot of first choice.
        blocked: of them, how many found it full.
        lost: (policies,) arrivals that found no space at a near lot either, or did not look.
        hours_in: (policies, lots, 2) share of hours whose mean occupancy lay in the size-aware
            band, and in the plain one of 60 to 80 %.
    """

    occupancy: Floats
    full_share: Floats
    arrivals: Ints
    blocked: Ints
    lost: Ints
    hours_in: Floats


@cache
def central_lots(number: int) -> tuple[Lot, ...]:
    """The lots nearest to the middle of the demo's city, of those to LARGEST and always open."""
    city = build_city(CITY_LOTS, CITY_SEED)
    lots = [
        Lot(
            *(lot.lot_id, lot.gateway_id, lot.lot_type, lot.land_use, lot.reporting),
            report_interval_s=60,
            capacity=lot.capacity,
            longitude=lot.longitude,
            latitude=lot.latitude,
        )
        for lot in city.lots
        if lot.hours is None and lot.capacity <= LARGEST
    ]
    order = np.argsort(metres_from(*_CENTRE, lots), kind="stable")
    return tuple(lots[place] for place in order[:number].tolist())


def make_city(
    lots: Sequence[Lot],
    seed: int,
    rng: np.random.Generator,
    known: Parameters | None = None,
    charged: tuple[int, int] = CHARGED,
) -> City:
    """A city: the same lots for each seed, other sizes of their demand, days and base prices."""
    parameters = load() if known is None else known
    rates = Rates(lots, parameters, Calendar(seed), seed=seed, utc_offset_s=UTC_OFFSET_S)
    beside = near_lots(lots)
    near = np.full((len(lots), NEAR_LOTS), NOWHERE)
    for lot, others in enumerate(beside):
        near[lot, : len(others)] = others
    return City(
        rates=rates,
        charged=charged,
        capacity=rates.capacity,
        usual=_usual(rates, charged),
        base_minor=rng.choice(np.array([200, 400, 600]), len(lots)),
        near=near,
        diversion=diversion(beside, rates.capacity),
    )


def _usual(rates: Rates, charged: tuple[int, int]) -> Floats:
    begins_s = _FIRST.timestamp()
    hours = np.arange(charged[0], charged[1], 0.25)
    usual: Floats = np.mean([rates.ordinary(begins_s + hour * HOUR_S) for hour in hours], axis=0)
    return usual


def workdays(period: int, number: int) -> list[float]:
    """When days of a period begin, Unix seconds: `number` of its workdays, spread evenly.

    Of a working week in a row each day is much like the one before, and says little of the month.
    """
    known = Calendar(0)
    begins = [_FIRST + timedelta(days=period * APART_DAYS + day) for day in range(APART_DAYS)]
    found = [
        begun.timestamp()
        for begun in begins
        if known.kind(begun.date().toordinal() - _EPOCH) == "workday"
    ]
    return [found[day * len(found) // number] for day in range(number)]


class Cars(NamedTuple):
    """Arrivals of a step at MOST_DEMAND times the base, by lot; arrays (cars,).

    Attributes:
        lots: where they want to park, ascending.
        steps: how long they stay; 1 at least.
        marks: 0..1; a policy sees those under its demand over MOST_DEMAND.
        looks_on: whether they try near lots when theirs is full.
    """

    lots: Ints
    steps: Ints
    marks: Floats
    looks_on: NDArray[np.bool_]


def draw_cars(city: City, begins_s: float, rng: np.random.Generator) -> Cars:
    """Draw the arrivals of the step that begins at an instant.

    Those who leave within the step are not drawn.
    """
    numbers = rng.poisson(city.rates.arrivals(begins_s) * (STEP_S * MOST_DEMAND))
    lots = np.repeat(np.arange(len(numbers)), numbers)
    hour = city.rates.local(begins_s)[1] // HOUR_S
    stay_s = city.rates.stays.draw(city.rates.use[lots], hour, rng)
    steps = np.ceil(stay_s / STEP_S - rng.random(len(lots))).astype(np.int64)
    staying = steps >= 1
    marks, looks_on = rng.random(len(lots)), rng.random(len(lots)) < LOOK_ON
    return Cars(lots[staying], steps[staying], marks[staying], looks_on[staying])
