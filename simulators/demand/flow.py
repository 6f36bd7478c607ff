"""Who is in which lot: drivers come, stay and leave, counted by lot in steps of time. No I/O.

Time goes in steps of an absolute grid, so that the same lots, seed and start give the same counts
step for step, however the calls are cut. A driver who finds a lot full or closed goes to a near
one or leaves.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple, Required, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from simulators.demand.calendar import Calendar
from simulators.demand.closures import CLEARED_S, Closure, Closures
from simulators.demand.events import Event, Guests, guests_of
from simulators.demand.near import near_lots
from simulators.demand.opening import DAY_S
from simulators.demand.parameters import Parameters, load
from simulators.demand.parked import Parked, Ring
from simulators.demand.prices import Answer
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
# A driver whose lot closes before the stay that was wanted is over leaves by then, where that is at
# least so much of the stay, within the last quarter of an hour; else the lot will not do. Both are
# assumptions.
ENOUGH: Final = 1 / 3
_LEAVING_S: Final = 900
_NOWHERE: Final = -1


def room_wanted(capacity: IntArray) -> IntArray:
    """Return how many free bays a lot must have for drivers from elsewhere to try it."""
    wanted: IntArray = np.maximum(_ROOM, np.ceil(capacity * _ROOM_SHARE)).astype(np.int64)
    return wanted


class Around(NamedTuple):
    """What lies around the lots.

    Attributes:
        near: of each lot those near it, nearest first.
        guests: the drivers of events.
        closures: which lots are closed for a time.
        prices: how demand answers them.
    """

    near: Sequence[Sequence[int]]
    guests: Guests
    closures: Closures
    prices: Answer


class Traffic:
    """Drivers who come, are turned away, park and leave, a step at a time.

    Attributes:
        present: drivers in each lot; shape (lots,).
        lost: drivers who found a lot full or closed and went to no other.
        diverted: drivers who found a lot full or closed and went to a near one.
        turned_away_closed: drivers who found a lot closed, or about to close, lost or diverted.
        shortened: drivers whose stays end because their lot closes by its hours.
        sent_out: drivers who left early because their lot was closed for a time.
    """

    def __init__(
        self,
        rates: Rates,
        around: "Around",
        parked: Parked,
        rng: np.random.Generator,
        *,
        step_s: int,
        last: int,
    ) -> None:
        """Begin with empty lots after the step `last`."""
        self._rates, self._around, self._parked, self._rng = rates, around, parked, rng
        self._step_s = step_s
        self._room = room_wanted(rates.capacity)
        self.present = np.zeros(len(rates.capacity), dtype=np.int64)
        self._shut = around.closures.at((last - 1) * step_s)
        # The last whole step before each lot closes by its hours.
        self._last: FloatArray = np.full(len(rates.capacity), np.inf)
        self.forget()

    def forget(self) -> None:
        """Count drivers who are turned away, shortened or sent out from now on."""
        self.lost = self.diverted = self.turned_away_closed = self.shortened = self.sent_out = 0

    def step(self, number: int) -> None:
        """Live through the step that ends `number` steps after 1970-01-01T00:00Z."""
        begins_s = (number - 1) * self._step_s
        second = self._rates.local(begins_s)[1]
        self.present -= self._parked.leave(number)
        shut = self._around.closures.at(begins_s)
        self._send_out(number, shut & ~self._shut)
        self._shut = shut
        closes_in_s = np.where(shut, 0.0, self._rates.opening.closes_in(second))
        self._last = np.floor((begins_s + closes_in_s) / self._step_s)
        self._let_guests_in(number, closes_in_s > 0)
        rates = self._rates.arrivals(begins_s) * self._around.prices.multiples
        coming = self._rng.poisson(rates * self._step_s)
        self._let_in(number, coming, closes_in_s, second // _HOUR_S)

    def _send_out(self, number: int, lots: NDArray[np.bool_]) -> None:
        """Let those inside lots whose closure begins leave soon."""
        if lots.any():
            within = max(1, int(CLEARED_S // self._step_s))
            self.sent_out += self._parked.hurry(lots, number, within, self._rng)

    def _let_in(self, number: int, coming: IntArray, closes_in_s: FloatArray, hour: int) -> None:
        """Let `coming` drivers by lot park there or in a near lot, or go."""
        lots = np.repeat(np.arange(len(coming)), coming)
        stay_s = self._rates.stays.draw(self._rates.use[lots], hour, self._rng)
        comes = number - self._rng.random(len(lots))
        free = np.where(closes_in_s > 0, self._rates.capacity - self.present, 0)
        willing = closes_in_s[lots] >= stay_s * ENOUGH
        place = np.cumsum(willing)
        before = np.concatenate(([0], place))[np.cumsum(coming) - coming]
        admitted = willing & (place - before[lots] <= free[lots])
        free -= np.bincount(lots[admitted], minlength=len(free))
        placed = np.where(admitted, lots, _NOWHERE)
        refused = np.flatnonzero(~admitted)
        if len(refused):
            self.turned_away_closed += len(lots) - int(np.count_nonzero(willing))
            # Those who knew that it closes soon, and would stay longer, go elsewhere at once.
            knew = ~willing[refused] & (closes_in_s[lots[refused]] > 0)
            placed[refused] = self._look_on(lots[refused], free, knew)
        self._park(number, placed, np.ceil(comes + stay_s / self._step_s))

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
        self._park(number, placed, np.ceil(leaves_s / self._step_s))

    def _look_on(self, lots: IntArray, free: IntArray, surely: NDArray[np.bool_]) -> IntArray:
        """Send drivers who were refused to near lots; `free` bays become fewer.

        Args:
            lots: that of each driver, ascending.
            free: bays of each lot; shape (lots,).
            surely: which drivers look on without fail; shape (drivers,).

        Returns:
            The lot in which each driver found room, or _NOWHERE.
        """
        placed = np.full(len(lots), _NOWHERE)
        looking = np.flatnonzero((self._rng.random(len(lots)) < LOOK_ON) | surely)
        asked, starts = np.unique(lots[looking], return_index=True)
        for lot, each in zip(asked.tolist(), np.split(looking, starts[1:]), strict=False):
            drivers = each
            for other in self._around.near[lot]:
                if free[other] >= self._room[other]:
                    taken, drivers = np.split(drivers, [int(free[other])])
                    free[other] -= len(taken)
                    placed[taken] = other
                    if not len(drivers):
                        break
        moved = int(np.count_nonzero(placed != _NOWHERE))
        self.diverted += moved
        self.lost += len(lots) - moved
        return placed

    def _park(self, number: int, placed: IntArray, until: FloatArray) -> None:
        """Let drivers park until they leave, at the latest when their lot closes by its hours.

        Those who leave within the step are not seen.
        """
        there = placed != _NOWHERE
        lots, until = placed[there], until[there]
        last = self._last[lots]
        late = until > last
        self.shortened += int(np.count_nonzero(late))
        longest = np.clip(last[late] - number, 1, max(1, _LEAVING_S // self._step_s))
        until[late] = last[late] - np.floor(self._rng.random(len(longest)) * longest)
        staying = until > number
        self.take(lots[staying], until[staying].astype(np.int64))

    def take(self, lots: IntArray, until: IntArray) -> None:
        """Let a driver stand in each of `lots` until the step `until`."""
        self._parked.enter(lots, until)
        self.present += np.bincount(lots, minlength=len(self.present))


class Options(TypedDict, total=False):
    """Who the drivers are, and what they meet: arguments by name of `Flow` and of `bays.Demand`.

    Attributes:
        seed: of all that is random.
        utc_offset_s: of the city's local time.
        parameters: those of the project when None or left out.
        calendar: that of the project when None or left out.
        events: crowds at some places and times.
        closures: lots that are closed for a time, told beforehand.
    """

    seed: Required[int]
    utc_offset_s: Required[int]
    parameters: Parameters | None
    calendar: Calendar | None
    events: Sequence[Event]
    closures: Sequence[Closure]


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
        step_s: int = STEP_S,
        parked: Parked | None = None,
        **options: Unpack[Options],
    ) -> None:
        """Fill the lots as the week before the start leaves them.

        Args:
            lots: at least one; each of at least one bay.
            start_s: Unix seconds.
            step_s: whole seconds of a step.
            parked: keeps who has parked; when None only how many, by lot and step.
            **options: see `Options`.

        Raises:
            ValueError: there is no lot, or one without a bay.
            RegistryError: an event is far from any lot.
        """
        seed = options["seed"]
        parameters, calendar = options.get("parameters"), options.get("calendar")
        self.rates = Rates(
            lots,
            load() if parameters is None else parameters,
            Calendar(seed) if calendar is None else calendar,
            seed=seed,
            utc_offset_s=options["utc_offset_s"],
        )
        self.now_s = start_s
        self._step_s = step_s
        # The last whole long step before the start; what remains is lived through in own steps, or
        # a quarter of an hour's drivers would be missing.
        self._number = int(start_s // _WARM_UP_STEP_S * _WARM_UP_STEP_S // step_s)
        self._closures = Closures(lots, options.get("closures", ()))
        near = near_lots(lots)
        self._prices = Answer(lots, near, self.rates.usual)
        guests = guests_of(options.get("events", ()), lots, seed)
        around = Around(near, guests, self._closures, self._prices)
        begun = np.random.default_rng([seed, self._number])
        if parked is None:
            parked = Ring(len(lots), step_s)
        self._traffic = Traffic(self.rates, around, parked, begun, step_s=step_s, last=self._number)
        self._traffic.take(*self._warm_up(around, begun))
        self.advance_to(start_s)
        self._traffic.forget()

    def _warm_up(self, around: Around, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Live through the week before the start, in long steps.

        Returns:
            The lot of each driver who is there at the start, and the step of leaving.
        """
        ring = Ring(len(around.near), _WARM_UP_STEP_S)
        start_s = self._number * self._step_s
        last = start_s // _WARM_UP_STEP_S
        first = last - int(_WARM_UP_S // _WARM_UP_STEP_S)
        before = Traffic(self.rates, around, ring, rng, step_s=_WARM_UP_STEP_S, last=first - 1)
        for number in range(first, last + 1):
            before.step(number)
        lots, until = ring.cars(last, np.arange(len(around.near)))
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
        """Drivers so far who found a lot closed, or about to close, lost or diverted."""
        return self._traffic.turned_away_closed

    @property
    def shortened(self) -> int:
        """Drivers so far whose stays end because their lot closes by its hours."""
        return self._traffic.shortened

    @property
    def sent_out(self) -> int:
        """Drivers so far who left early because their lot was closed for a time."""
        return self._traffic.sent_out

    def tell_closed(self, lot_ids: Collection[str]) -> None:
        """Say which lots are closed from the next step on, until told otherwise."""
        self._closures.tell(lot_ids)

    def tell_prices(self, relative: Mapping[str, float], elasticity: float) -> None:
        """Say prices over base prices, by lot, and how demand answers from the next step on."""
        self._prices.tell(relative, elasticity)

    def advance_to(self, at_s: float) -> None:
        """Live through all whole steps up to an instant in Unix seconds; none if it is past."""
        self.now_s = max(self.now_s, at_s)
        for number in range(self._number + 1, int(at_s // self._step_s) + 1):
            self._traffic.step(number)
            self._number = number
