"""The lots of many policies filled and emptied, a step of the simulated demand at a time.

The rules are those of `simulators.demand.flow`, for all policies at once: those who find a lot
full look for a near one that has room, or leave.
"""

import numpy as np
from numpy.typing import NDArray

from load_tests.closed_loop.model import (
    DAY_S,
    HOUR_S,
    NOWHERE,
    Cars,
    City,
    Floats,
    Ints,
    Period,
    draw_cars,
)
from simulators.demand.flow import STEP_S, room_wanted
from simulators.demand.prices import MOST_DEMAND
from simulators.demand.stays import MAX_STAY_S

Counts = NDArray[np.int32]
Flags = NDArray[np.bool_]


class Flow:
    """Who stands where, for `policies` policies; it goes on from one period to the next."""

    def __init__(self, city: City, policies: int, bands: Floats, rng: np.random.Generator) -> None:
        """Start empty; `bands` are lower and upper ends to count hours in, (bands, 2, lots)."""
        self._city, self._bands, self._rng = city, bands, rng
        self._shape = (policies, len(city.capacity))
        self._free: Counts = np.tile(city.capacity, (policies, 1)).astype(np.int32)
        self._leaving = np.zeros((int(MAX_STAY_S // STEP_S) + 2, *self._shape), np.int16)
        self._room = room_wanted(city.capacity)
        self._lost = np.zeros(policies, np.int64)
        self._clock = 0

    def run(self, days_s: list[float], demand: Floats) -> Period:
        """Some days, each given by its beginning; `demand` multiplies arrivals, (policies, lots).

        Only the charged hours are measured.
        """
        first, last = self._city.charged
        seen = _Seen(self._shape, self._city.capacity, self._bands)
        for begins_s in days_s:
            for second in range(0, DAY_S, STEP_S):
                cars = draw_cars(self._city, begins_s + second, self._rng)
                self._step(cars, demand, seen if first <= second // HOUR_S < last else None)
        return seen.period()

    def _step(self, cars: Cars, demand: Floats, seen: "_Seen | None") -> None:
        self._clock += 1
        slot = self._clock % len(self._leaving)
        leaving = self._leaving[slot].astype(np.int32)
        self._leaving[slot] = 0
        # Half of those who leave do so before the others arrive: if all did, each stay would be
        # half a step shorter for those who look for a space.
        first = (leaving + self._clock % 2) // 2
        self._free += first
        before = self._free == 0
        lots = cars.lots
        coming: Flags = cars.marks < demand[:, lots] / MOST_DEMAND
        admitted = coming & (_ranks(coming, lots) <= self._free[:, lots])
        policy, car = np.nonzero(admitted)
        self._enter(policy, lots[car], cars.steps[car])
        refused = coming & ~admitted
        self._lost[:] = 0
        if refused.any():
            self._lost += refused.sum(axis=1)
            policy, car = np.nonzero(refused & cars.looks_on)
            self._look_on(policy, car, cars)
        full = self._free == 0
        self._free += leaving - first
        if seen is not None:
            came, turned = (_counts(each, lots, self._shape) for each in (coming, refused))
            seen.add((before, full), self._free, came, turned, self._lost)

    def _enter(self, policy: Ints, lot: Ints, steps: Ints) -> None:
        """Let a car into a lot of a policy each, for some steps."""
        places = policy * self._shape[1] + lot
        size = self._shape[0] * self._shape[1]
        self._free -= np.bincount(places, minlength=size).reshape(self._shape)
        slots = (self._clock + steps) % len(self._leaving)
        # One index: NumPy adds at several ten times more slowly.
        np.add.at(self._leaving.reshape(-1), slots * size + places, np.int16(1))

    def _look_on(self, policy: Ints, car: Ints, cars: Cars) -> None:
        """Cars that were refused try the near lots, nearest first, where there is room."""
        for beside in self._city.near.T:
            if not len(car):
                return
            target = beside[cars.lots[car]]
            some = np.flatnonzero(target != NOWHERE)
            places = policy[some] * self._shape[1] + target[some]
            free = self._free.ravel()[places]
            has_room = free >= self._room[target[some]]
            found = some[has_room & (_ranks_of_values(places) <= free)]
            self._enter(policy[found], target[found], cars.steps[car[found]])
            np.subtract.at(self._lost, policy[found], 1)
            left = np.ones(len(car), bool)
            left[found] = False
            policy, car = policy[left], car[left]


class _Seen:
    """Sums over the charged hours of a period."""

    def __init__(self, shape: tuple[int, int], capacity: Ints, bands: Floats) -> None:
        self._capacity, self._bands = capacity, bands
        self._free, self._hour_free, self._full, self._arrivals, self._blocked = (
            np.zeros(shape, np.int64) for _ in range(5)
        )
        self._lost = np.zeros(shape[0], np.int64)
        self._hours_in = np.zeros((*shape, len(bands)))
        self._steps = 0

    def add(
        self, full: tuple[Flags, Flags], free: Counts, coming: Ints, refused: Ints, lost: Ints
    ) -> None:
        """Count a step: whether lots were full before and after those who came, and these."""
        self._steps += 1
        self._arrivals += coming
        self._blocked += refused
        self._lost += lost
        # Those who arrive see the mean of what there was before them and after.
        self._full += full[0]
        self._full += full[1]
        self._hour_free += free
        per_hour = HOUR_S // STEP_S
        if self._steps % per_hour == 0:
            occupancy = 1 - self._hour_free / per_hour / self._capacity
            inside = [(occupancy >= low) & (occupancy < high) for low, high in self._bands]
            self._hours_in += np.stack(inside, axis=-1)
            self._free += self._hour_free
            self._hour_free[:] = 0

    def period(self) -> Period:
        """The means."""
        return Period(
            occupancy=1 - self._free / self._steps / self._capacity,
            full_share=self._full / (2 * self._steps),
            arrivals=self._arrivals,
            blocked=self._blocked,
            lost=self._lost,
            hours_in=self._hours_in / (self._steps * STEP_S / HOUR_S),
        )


def _ranks(coming: Flags, lots: Ints) -> Counts:
    """Of those who come, which one of the policy's and lot's each is, 1 first; (policies, cars)."""
    running = np.cumsum(coming, axis=1, dtype=np.int32)
    before = np.zeros_like(running)
    before[:, 1:] = running[:, :-1]
    return running - before[:, np.searchsorted(lots, lots)]


def _ranks_of_values(values: Ints) -> Ints:
    """Of equal values, which one each is, 1 first."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(values)) - np.searchsorted(ordered, ordered) + 1
    return ranks


def _counts(flags: Flags, lots: Ints, shape: tuple[int, int]) -> Ints:
    """Flags (policies, cars) counted by lot, (policies, lots)."""
    policy, car = np.nonzero(flags)
    places = policy * shape[1] + lots[car]
    counted: Ints = np.bincount(places, minlength=shape[0] * shape[1]).reshape(shape)
    return counted
