"""The lots of the city as columns that a question can search, and their states.

A table is made whole and then replaced whole: lots come and go by import. Only states change in it.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parking_api.city.bays import FREE, UNKNOWN_BAY, Bays
from parking_api.city.distances import Floats, distances_m
from parking_api.city.grid import Grid, Indices
from parking_api.city.opening import Opening
from parking_api.city.queries import CityLot, LotColumns, LotNow
from parking_api.city.states import MICROSECOND, State, micros, state_of_row
from parking_api.models import DataState, LotStatus
from sql.kinds import LOT_TYPES, SPACE_CLASSES, SpaceClass
from sql.lot_states import live_for, stale_for

_FREE_COLUMNS: Final = tuple(f"free_{name}" for name in SPACE_CLASSES)
_STATE_COLUMNS: Final = {"observed_at", "version", "committed_at", *_FREE_COLUMNS}
_UNCHANGING: Final = tuple(
    column for column in LotColumns.__struct_fields__ if column not in _STATE_COLUMNS
)
REGISTERED: Final = (*_UNCHANGING, "registered_capacity")
Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]

DATA_STATES: Final[tuple[DataState, ...]] = ("live", "stale", "unknown")
STATUSES: Final[tuple[LotStatus, ...]] = ("open", "full", "closed", "unknown")
LIVE, STALE, UNKNOWN = range(3)
_OPEN, _FULL, _CLOSED, _NOT_KNOWN = range(4)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = -(2**62)
_MICROS_A_SECOND: Final = 1_000_000
_MICROS_A_MINUTE: Final = 60 * _MICROS_A_SECOND
# A version may have more digits than a column's numbers; two that follow each other differ here.
_VERSIONS: Final = 2**62


class FreeBays(NamedTuple):
    """Free bays.

    Attributes:
        indices: In `Bays`, shape (n,).
        lons: Degrees in WGS 84.
        lats: Likewise.
    """

    indices: Indices
    lons: Floats
    lats: Floats

    @classmethod
    def together(cls, parts: Sequence["FreeBays"]) -> "FreeBays":
        """Join the bays of several lots."""
        if not parts:
            return cls(np.empty(0, dtype=np.intp), np.empty(0), np.empty(0))
        return cls(*map(np.concatenate, zip(*parts, strict=True)))


class Marks(NamedTuple):
    """What there is to tell of each lot at an instant, as numbers, each of shape (lots,).

    Attributes:
        versions: Of its state; -1 before any.
        capacities: Spaces in service.
        free_spaces: As reported; -1 where nothing is known.
        unknown_spaces: As reported.
        data_states: Indices of `DATA_STATES`.
        statuses: Indices of `STATUSES`.
        closures: Numbers that differ where what is told of a closure does; 0 for none that runs.
        observed: When the state was true, in microseconds since 1970.
    """

    versions: Numbers
    capacities: Numbers
    free_spaces: Numbers
    unknown_spaces: Numbers
    data_states: Numbers
    statuses: Numbers
    closures: Numbers
    observed: Numbers

    def changed_since(self, before: "Marks") -> Indices:
        """Return the lots of which there is something new to tell."""
        return np.flatnonzero((np.stack(self) != np.stack(before)).any(axis=0))


class Lot:
    """A lot with its state.

    Attributes:
        facts: As it is registered.
        state: As last committed; None before any report.
        index: Its place in the table: lots are in the order of `lot_id`.
        hours: The index in the table of when it is open; lots of the same hours share it, and a lot
            with a closure has its own.
        live_until: Microseconds since 1970; after it, the state is stale.
        stale_until: Likewise; after it, nothing is known.
        pieces: What has been written of it for answers; emptied at each new state.
        bay_tails: Likewise, of its bays.
        free_bays: Its free bays; None where they have not been asked for since the last change.
    """

    __slots__ = (
        *("bay_tails", "facts", "free_bays", "hours", "index"),
        *("live_until", "pieces", "stale_until", "state"),
    )

    def __init__(self, facts: CityLot, index: int, hours: int) -> None:
        self.facts = facts
        self.index = index
        self.hours = hours
        self.state: State | None = None
        self.live_until = self.stale_until = _NEVER
        self.pieces: dict[int, tuple[bytes, ...]] = {}
        self.bay_tails: dict[int, bytes] = {}
        self.free_bays: FreeBays | None = None

    def is_registered_so(self, row: CityLot) -> bool:
        """Return whether a row has the lot as it is registered here."""
        facts = self.facts
        return all(getattr(facts, name) == getattr(row, name) for name in REGISTERED)

    @property
    def capacity(self) -> int:
        """Spaces in service: as reported, else as registered."""
        return self.state.capacity if self.state else self.facts.registered_capacity

    @property
    def counted(self) -> int | None:
        """Free spaces as reported; None where all are unknown, or nothing was reported."""
        state = self.state
        if state is None or 0 < state.unknown_spaces == state.capacity:
            return None
        return state.free_spaces


class Table:
    """Every lot, and every bay.

    Attributes:
        stamp: Rises whenever a lot may have come to have a free space, or lost its last one, other
            than by the age of its state.

    Args:
        rows: The lots, in the order of `lot_id`.
        bays: Theirs.
    """

    def __init__(self, rows: Sequence[CityLot], bays: Bays) -> None:
        self.bays = bays
        hours: dict[Opening, int] = {}
        self.lots = [
            Lot(row, index, hours.setdefault(row.opening, len(hours)))
            for index, row in enumerate(rows)
        ]
        self.by_id = {lot.facts.lot_id: lot for lot in self.lots}
        self._hours = list(hours)
        self._hours_of = np.array([lot.hours for lot in self.lots], dtype=np.intp)
        self.lons = np.array([row.longitude for row in rows], dtype=np.float64)
        self.lats = np.array([row.latitude for row in rows], dtype=np.float64)
        # What an event of a stream says of each lot that is no state.
        self.places = [(row.lot_id, row.longitude, row.latitude, row.timezone) for row in rows]
        self.grid = Grid(self.lons, self.lats)
        # Stored in single precision, and compared in it.
        self.lot_types = np.array([LOT_TYPES.index(row.lot_type) for row in rows], dtype=np.int8)
        self.heights = np.array(
            [np.inf if row.height_limit_m is None else row.height_limit_m for row in rows],
            dtype=np.float32,
        )
        self.has_bays = np.array([row.reporting == "bays" for row in rows], dtype=np.bool_)
        self.spreads_m = bays.spreads_m(self.lons, self.lats)
        self.widest_m = float(self.spreads_m.max(initial=0.0))
        size = len(rows)
        self.free_spaces = np.full(size, -1, dtype=np.int64)
        self._free_of_class = np.full((len(SPACE_CLASSES), size), -1, dtype=np.int64)
        self.observed = np.full(size, _NEVER, dtype=np.int64)
        self.live_until = np.full(size, _NEVER, dtype=np.int64)
        self.stale_until = np.full(size, _NEVER, dtype=np.int64)
        self.capacities = np.array([row.registered_capacity for row in rows], dtype=np.int64)
        self.unknown_spaces = np.zeros(size, dtype=np.int64)
        self._versions = np.full(size, -1, dtype=np.int64)
        # When closures begin and end, in order; between two of them, and within a minute, the same
        # lots are open.
        turns = (micros(at) for one in hours for at in (one.closed_from, one.closed_until) if at)
        self._turns = [_NEVER, *sorted(turns), -_NEVER]
        self._same_from = self._same_until = _NEVER
        self.open_hours: list[bool] = []
        self.shut_hours: list[bool] = []
        self.open = np.zeros(size, dtype=np.bool_)
        self.shut = np.zeros(size, dtype=np.bool_)
        # What answers say of a closure, as numbers that differ where it does.
        self._closures = np.array(
            [hash((row.closed_until, row.closed_reason)) for row in rows], dtype=np.int64
        )
        self.stamp = 0
        self._looked_up = _NEVER

        for lot, row in zip(self.lots, rows, strict=True):
            self.take(lot, state_of_row(row))

    def take(self, lot: Lot, state: State | None) -> bool:
        """Set a lot's state, unless the lot has it, or a newer one; return whether it was set."""
        if state is None:
            return False
        if lot.state and (state.version < lot.state.version or state == lot.state):
            return False
        lot.state = state
        lot.pieces, lot.bay_tails = {}, {}
        lot.free_bays = None
        index = lot.index
        counted = -1 if lot.counted is None else lot.counted
        self.observed[index] = observed = micros(state.observed_at)
        interval_s = lot.facts.report_interval_s
        stale_until = observed + stale_for(interval_s) // MICROSECOND
        # Who keeps which lots have a free space has left this one out, or will do so too late.
        is_odd = lot.stale_until < self._looked_up or stale_until < lot.stale_until
        if is_odd or (counted > 0) != (self.free_spaces[index] > 0):
            self.stamp += 1
        self.free_spaces[index] = counted
        self._free_of_class[:, index] = state.free_by_class or -1
        lot.live_until = observed + live_for(interval_s) // MICROSECOND
        lot.stale_until = stale_until
        self.live_until[index] = lot.live_until
        self.stale_until[index] = stale_until
        self.capacities[index] = state.capacity
        self.unknown_spaces[index] = state.unknown_spaces
        self._versions[index] = state.version % _VERSIONS
        return True

    def commits(self) -> Iterator[datetime]:
        """Yield when each lot's state was committed."""
        for lot in self.lots:
            if lot.state:
                yield lot.state.committed_at

    # --- One lot at an instant ---

    def data_state(self, lot: Lot, now: int) -> int:
        """Return what a lot's state is worth: an index of `DATA_STATES`."""
        if now <= lot.live_until:
            return LIVE
        return STALE if now <= lot.stale_until else UNKNOWN

    def is_open(self, lot: Lot, now: int) -> bool:
        """Return whether a lot's opening hours include an instant."""
        self.look_at_clock(now)
        return self.open_hours[lot.hours]

    def closes_within(self, lot: Lot, start: datetime, end: datetime) -> datetime | None:
        """Return when a lot closes within a stay: see `parking_api.city.opening`."""
        return self._hours[lot.hours].not_open_within(start, end)

    def at(self, lot: Lot, now: int) -> LotNow:
        """Return a lot at an instant, by the rules of the view `lot_now`."""
        facts, state = lot.facts, lot.state
        worth = self.data_state(lot, now)
        counted = None if worth == UNKNOWN else lot.counted
        unknown = lot.capacity
        if worth != UNKNOWN and state:
            unknown = state.unknown_spaces
        status = _NOT_KNOWN
        is_open = self.is_open(lot, now)
        is_shut = self.shut_hours[lot.hours]
        if worth != UNKNOWN:
            status = _OPEN if counted else _NOT_KNOWN if unknown else _FULL
        if is_shut or (worth != UNKNOWN and not is_open):
            status = _CLOSED
        by_class = (state.free_by_class if state else None) or (None,) * len(SPACE_CLASSES)
        columns: dict[str, Any] = {name: getattr(facts, name) for name in _UNCHANGING}
        columns |= dict(zip(_FREE_COLUMNS, by_class, strict=True))
        return LotNow(
            **columns,
            observed_at=state.observed_at if state else None,
            version=state.version if state else None,
            committed_at=state.committed_at if state else None,
            capacity=lot.capacity,
            free_spaces=counted,
            unknown_spaces=unknown,
            age_s=max(now - int(self.observed[lot.index]), 0) / _MICROS_A_SECOND if state else None,
            data_state=DATA_STATES[worth],
            status=STATUSES[status],
            is_shut=is_shut,
        )

    def statuses(self, now: int) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Return every lot's data state and status, as indices of `DATA_STATES` and `STATUSES`."""
        self.look_at_clock(now)
        data_states = np.where(
            now <= self.live_until, LIVE, np.where(now <= self.stale_until, STALE, UNKNOWN)
        ).astype(np.int8)
        counted = np.where(
            self.free_spaces > 0, _OPEN, np.where(self.unknown_spaces > 0, _NOT_KNOWN, _FULL)
        )
        statuses = np.where(self.open, counted, _CLOSED)
        statuses[data_states == UNKNOWN] = _NOT_KNOWN
        statuses[self.shut] = _CLOSED
        return data_states, statuses.astype(np.int8)

    def marks(self, now: int) -> Marks:
        """Return what there is to tell of every lot."""
        data_states, statuses = self.statuses(now)
        counts = self.capacities, self.free_spaces, self.unknown_spaces
        closures = np.where(self.shut, self._closures, 0)
        # A copy of what changes.
        return Marks(
            *np.stack([self._versions, *counts, data_states, statuses, closures, self.observed])
        )

    def in_box(self, west: float, south: float, east: float, north: float) -> Mask:
        """Return which lots lie in a box, edges included."""
        fits: Mask = (west <= self.lons) & (self.lons <= east)
        return fits & (south <= self.lats) & (self.lats <= north)

    def within(self, lon: float, lat: float, radius_m: float) -> Indices:
        """Return the lots at most so far from a place, by geodesic distance."""
        blocks = self.grid.blocks(lon - 360 if lon >= 180 else lon, lat)  # noqa: PLR2004
        near = next(block for block in blocks if block.reach_m >= radius_m).indices
        found: Indices = near[distances_m(lon, lat, self.lons[near], self.lats[near]) <= radius_m]
        return found

    def are_open_through(self, start: datetime, end: datetime) -> Mask:
        """Return which lots are open throughout a stay."""
        hours = [one.not_open_within(start, end) is None for one in self._hours]
        return np.array(hours, dtype=np.bool_)[self._hours_of]

    def free_of(self, space_class: SpaceClass | None) -> Numbers:
        """Return how many free spaces, or bays of a class, each lot has; -1 for not known."""
        if space_class is None:
            return self.free_spaces
        of_class: Numbers = self._free_of_class[SPACE_CLASSES.index(space_class)]
        return of_class

    def free_bays(self, lot: Lot) -> FreeBays:
        """Return the free bays of a lot, whatever its state is worth."""
        if lot.free_bays is None:
            indices = np.flatnonzero(self.bay_states(lot) == FREE) + self.bays.starts[lot.index]
            lot.free_bays = FreeBays(indices, self.bays.lons[indices], self.bays.lats[indices])
        return lot.free_bays

    def bay_states(self, lot: Lot) -> NDArray[np.int8]:
        """Return the states of a lot's bays, whatever they are worth, as in `SPACE_STATES`."""
        state = lot.state
        if state is None or state.occupied_bits is None or state.unknown_bits is None:
            bays = self.bays.of_lot(lot.index)
            return np.full(bays.stop - bays.start, UNKNOWN_BAY, dtype=np.int8)
        bits = state.occupied_bits, state.unknown_bits
        return self.bays.states(lot.index, state.capacity, *bits)

    def look_at_clock(self, now: int) -> None:
        """Open and close lots where another minute has begun, or a closure begins or ends.

        Hours are whole minutes.
        """
        if self._same_from <= now < self._same_until:
            return
        at = _EPOCH + timedelta(microseconds=now)
        self.open_hours = [one.is_open(at) for one in self._hours]
        self.shut_hours = [one.is_shut(at) for one in self._hours]
        are_open = np.array(self.open_hours, dtype=np.bool_)[self._hours_of]
        self.shut = np.array(self.shut_hours, dtype=np.bool_)[self._hours_of]
        if (are_open != self.open).any():
            self.open = are_open
            self.stamp += 1
        minute = now // _MICROS_A_MINUTE
        turn = bisect_right(self._turns, now)
        self._same_from = max(minute * _MICROS_A_MINUTE, self._turns[turn - 1])
        self._same_until = min((minute + 1) * _MICROS_A_MINUTE, self._turns[turn])

    def note_looked_up(self, now: int) -> None:
        """Note that somebody keeps which lots have a free space at an instant."""
        self._looked_up = max(self._looked_up, now)
