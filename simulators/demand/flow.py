"""Who is in which lot: drivers come, stay and leave, counted by lot in steps of time. No I/O.

Time goes in steps of an absolute grid, so that the same lots, seed and start give the same counts
step for step, however the calls are cut. A driver who finds a lot full or closed goes to a near
one or leaves.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulators.demand.calendar import Calendar
from simulators.demand.events import Event, Guests, guests_of
from simulators.demand.near import near_lots
from simulators.demand.opening import DAY_S
from simulators.demand.parameters import Parameters, load
from simulators.demand.rates import Rates
from simulators.demand.stays import HOURS, MAX_STAY_S
from simulators.registry import Lot

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

STEP_S: Final = 300
# So long before its start a run begins, in long steps: the longest stay.
_WARM_UP_S: Final = MAX_STAY_S
_WARM_UP_STEP_S: Final = 900
_HOUR_S: Final = DAY_S // HOURS
# Of the drivers who find a lot full or closed, those who look for a near one. An assumption: the
# others give up, or park where nobody counts.
LOOK_ON: Final = 0.7
# Drivers go to a near lot that has at least so many free bays, and that share of its bays.
_ROOM: Final = 2
_ROOM_SHARE: Final = 0.02
_NOWHERE: Final = -1


def room_wanted(capacity: IntArray) -> IntArray:
    """Return how many free bays a lot must have for drivers from elsewhere to try it."""
    wanted: IntArray = np.maximum(_ROOM, np.ceil(capacity * _ROOM_SHARE)).astype(np.int64)
    return wanted


class Parked(Protocol):
    """Who has parked, and until which step."""

    def leave(self, step: int) -> IntArray:
        """Let those leave whose last step it is; return how many by lot, shape (lots,)."""

    def enter(self, lots: IntArray, until: IntArray) -> None:
        """Let a driver into each of `lots`, who leaves in the step `until`."""


class Ring:
    """Counts of those who leave, by lot and step, of steps to come.

    Args:
        lots: how many lots there are.
        step_s: seconds of a step.
    """

    def __init__(self, lots: int, step_s: int) -> None:
        self._leaving = np.zeros((int(MAX_STAY_S // step_s) + 2, lots), dtype=np.int32)

    def leave(self, step: int) -> IntArray:
        """See `Parked`."""
        row = self._leaving[step % len(self._leaving)]
        gone: IntArray = row.astype(np.int64)
        row[:] = 0
        return gone

    def enter(self, lots: IntArray, until: IntArray) -> None:
        """See `Parked`."""
        np.add.at(self._leaving, (until % len(self._leaving), lots), 1)

    def cars(self, step: int) -> tuple[IntArray, IntArray]:
        """Return the lot of each driver, and the step after `step` in which the driver leaves."""
        rows, lots = np.nonzero(self._leaving)
        counts = self._leaving[rows, lots]
        until = step + 1 + (rows - step - 1) % len(self._leaving)
        return np.repeat(lots, counts), np.repeat(until, counts)


class Around(NamedTuple):
    """What lies around the lots.

    Attributes:
        near: of each lot those near it, nearest first.
        guests: the drivers of events.
    """

    near: Sequence[Sequence[int]]
    guests: Guests


class Traffic:
    """Drivers who come, are turned away, park and leave, a step at a time.

    Attributes:
        present: drivers in each lot; shape (lots,).
        lost: drivers who found a lot full or closed and went to no other.
        diverted: drivers who found a lot full or closed and went to a near one.
        turned_away_closed: drivers who found a lot closed, lost or diverted.
    """

    def __init__(
        self,
        rates: Rates,
        around: "Around",
        parked: Parked,
        rng: np.random.Generator,
        step_s: int,
    ) -> None:
        """Begin with empty lots."""
        self._rates, self._around, self._parked, self._rng = rates, around, parked, rng
        self._step_s = step_s
        self._room = room_wanted(rates.capacity)
        self.present = np.zeros(len(rates.capacity), dtype=np.int64)
        self.lost = self.diverted = self.turned_away_closed = 0

    def step(self, number: int) -> None:
        """Live through the step that ends `number` steps after 1970-01-01T00:00Z."""
        begins_s = (number - 1) * self._step_s
        second = self._rates.local(begins_s)[1]
        self.present -= self._parked.leave(number)
        coming = self._rng.poisson(self._rates.arrivals(begins_s) * self._step_s)
        open_now = self._rates.opening.at(second)
        self._let_guests_in(number, open_now)
        free = np.where(open_now, self._rates.capacity - self.present, 0)
        admitted = np.minimum(coming, free)
        lots = np.repeat(np.arange(len(admitted)), admitted)
        uses = self._rates.use[lots]
        refused = coming - admitted
        if refused.any():
            self.turned_away_closed += int(refused[~open_now].sum())
            onto, whose = self._look_on(refused, free - admitted)
            lots, uses = np.concatenate((lots, onto)), np.concatenate((uses, whose))
        self._park(lots, uses, number, second // _HOUR_S)

    def _let_guests_in(self, number: int, open_now: NDArray[np.bool_]) -> None:
        """Let those who come to events park where they want to, or near; they come first."""
        ends_s = number * self._step_s
        wanted, leaves_s = self._around.guests.between(ends_s - self._step_s, ends_s)
        if not len(wanted):
            return
        free = np.where(open_now, self._rates.capacity - self.present, 0)
        placed = np.full(len(wanted), _NOWHERE)
        for guest, lot in enumerate(wanted.tolist()):
            for other in (lot, *self._around.near[lot]):
                if free[other]:
                    free[other] -= 1
                    placed[guest] = other
                    self.diverted += other != lot
                    break
            else:
                self.lost += 1
                self.turned_away_closed += not open_now[lot]
        until = np.ceil(leaves_s / self._step_s).astype(np.int64)
        staying = (placed != _NOWHERE) & (until > number)
        self.take(placed[staying], until[staying])

    def _look_on(self, refused: IntArray, free: IntArray) -> tuple[IntArray, IntArray]:
        """Send drivers who were refused to near lots; `free` bays become fewer.

        Returns:
            Of each driver who found room the lot, and the land use that the driver came for.
        """
        asking = np.flatnonzero(refused)
        looking = self._rng.binomial(refused[asking], LOOK_ON)
        found: list[tuple[int, int, int]] = []
        for lot, number in zip(asking.tolist(), looking.tolist(), strict=True):
            left = number
            for other in self._around.near[lot] if left else ():
                if free[other] >= self._room[other]:
                    taken = min(left, int(free[other]))
                    free[other] -= taken
                    left -= taken
                    found.append((other, self._rates.use[lot], taken))
                    if not left:
                        break
        onto, uses, counts = np.array(found, dtype=np.int64).reshape(-1, 3).T
        moved = int(counts.sum())
        self.diverted += moved
        self.lost += int(refused.sum()) - moved
        return np.repeat(onto, counts), np.repeat(uses, counts)

    def _park(self, lots: IntArray, uses: IntArray, number: int, hour: int) -> None:
        """Let drivers park until they leave; those who leave within the step are not seen."""
        stay_s = self._rates.stays.draw(uses, hour, self._rng)
        until = np.ceil(number - self._rng.random(len(lots)) + stay_s / self._step_s)
        staying = until > number
        self.take(lots[staying], until[staying].astype(np.int64))

    def take(self, lots: IntArray, until: IntArray) -> None:
        """Let a driver stand in each of `lots` until the step `until`."""
        self._parked.enter(lots, until)
        self.present += np.bincount(lots, minlength=len(self.present))


class Flow:
    """The drivers in all lots, counted by lot.

    Attributes:
        rates: who comes, and how long they stay.
        now_s: the simulated time in Unix seconds: the last instant that was asked for.
    """

    def __init__(
        self,
        lots: Sequence[Lot],
        start_s: float,
        *,
        seed: int,
        utc_offset_s: int,
        parameters: Parameters | None = None,
        calendar: Calendar | None = None,
        events: Sequence[Event] = (),
        step_s: int = STEP_S,
        parked: Parked | None = None,
    ) -> None:
        """Fill the lots as the week before the start leaves them.

        Args:
            lots: at least one; each of at least one bay.
            start_s: Unix seconds.
            seed: of all that is random.
            utc_offset_s: of the city's local time.
            parameters: those of the project when None.
            calendar: that of the project when None.
            events: crowds at some places and times.
            step_s: whole seconds of a step.
            parked: keeps who has parked; when None only how many, by lot and step.

        Raises:
            ValueError: there is no lot, or one without a bay.
            RegistryError: an event is far from any lot.
        """
        self.rates = Rates(
            lots,
            load() if parameters is None else parameters,
            Calendar(seed) if calendar is None else calendar,
            seed=seed,
            utc_offset_s=utc_offset_s,
        )
        self.now_s = start_s
        self._step_s = step_s
        # The last whole long step before the start; what remains is lived through in own steps, or
        # a quarter of an hour's drivers would be missing.
        self._number = int(start_s // _WARM_UP_STEP_S * _WARM_UP_STEP_S // step_s)
        around = Around(near_lots(lots), guests_of(events, lots, seed))
        begun = np.random.default_rng([seed, self._number])
        if parked is None:
            parked = Ring(len(lots), step_s)
        self._traffic = Traffic(self.rates, around, parked, begun, step_s)
        self._traffic.take(*self._warm_up(around, begun))
        self.advance_to(start_s)
        self._traffic.lost = self._traffic.diverted = self._traffic.turned_away_closed = 0

    def _warm_up(self, around: Around, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Live through the week before the start, in long steps.

        Returns:
            The lot of each driver who is there at the start, and the step of leaving.
        """
        ring = Ring(len(around.near), _WARM_UP_STEP_S)
        before = Traffic(self.rates, around, ring, rng, _WARM_UP_STEP_S)
        start_s = self._number * self._step_s
        last = start_s // _WARM_UP_STEP_S
        for number in range(last - int(_WARM_UP_S // _WARM_UP_STEP_S), last + 1):
            before.step(number)
        lots, until = ring.cars(last)
        leaves_s = (until - rng.random(len(until))) * _WARM_UP_STEP_S
        steps = np.ceil(leaves_s / self._step_s).astype(np.int64)
        staying = steps > self._number
        return lots[staying], steps[staying]

    @property
    def present(self) -> IntArray:
        """Drivers in each lot at the last whole step; shape (lots,)."""
        return self._traffic.present

    @property
    def lost(self) -> int:
        """Drivers so far who found a lot full or closed and went to no other."""
        return self._traffic.lost

    @property
    def diverted(self) -> int:
        """Drivers so far who found a lot full or closed and went to a near one."""
        return self._traffic.diverted

    @property
    def turned_away_closed(self) -> int:
        """Drivers so far who found a lot closed, lost or diverted."""
        return self._traffic.turned_away_closed

    def advance_to(self, at_s: float) -> None:
        """Live through all whole steps up to an instant in Unix seconds; none if it is past."""
        self.now_s = max(self.now_s, at_s)
        for number in range(self._number + 1, int(at_s // self._step_s) + 1):
            self._traffic.step(number)
            self._number = number
