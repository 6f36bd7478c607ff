"""The rules of a lot's state: which spaces are free, how old the state is, how it fits the lot.

The ingester makes a new state from each report. An import changes a lot's registration and adjusts
the state to it. Both use the rules here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sql.kinds import DataState, Reporting, Transport
from sql.statements import Row

# Shorter intervals than this would make a lot look silent for one report that came late.
_LIVE_AT_LEAST = timedelta(seconds=90)
_STALE_AT_LEAST = timedelta(minutes=15)
# Below every report's (epoch, seq): a report's seq is 1 at least.
_BEFORE_ANY = (0, 0)


class Registration(Row):
    """A lot's registration, as far as its state depends on it: a row of the statement `lots`.

    Attributes:
        lot_id: Its id.
        operator_id: Who runs it.
        reporting: `bays` or `count`.
        capacity: Registered spaces.
        report_interval_s: The longest silence that is normal.
        is_retired: Whether it takes reports no more.
    """

    lot_id: str
    operator_id: str
    reporting: Reporting
    capacity: int
    report_interval_s: int
    is_retired: bool = False


class Lot(Registration):
    """A lot's registration with its bays.

    Attributes:
        class_masks: For each of `SPACE_CLASSES`, the bays of that class, bay n at bit n-1.
    """

    class_masks: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def all_bays(self) -> int:
        """The bitmap with every bay set."""
        return (1 << self.capacity) - 1


@dataclass(frozen=True, slots=True)
class LotState:
    """A lot's state after one report.

    A space is free, occupied or unknown. An unknown one counts neither as free nor as occupied.

    Attributes:
        epoch: Of the report.
        seq: Of the report.
        capacity: Spaces in service.
        free_spaces: Spaces among them that are known to be free.
        unknown_spaces: Spaces among them of which nothing is known.
        occupied: Bay n at bit n-1; None where the lot counts at its gates.
        unknown: Likewise.
        free_by_class: Free bays of each of `SPACE_CLASSES`; None where the lot counts.
        observed_at: From when its age runs; never after `received_at`.
        received_at: When the report came in, by the platform's clock.
        history_at: The newest instant in the lot's history.
        transport: How the report came.
    """

    epoch: int
    seq: int
    capacity: int
    free_spaces: int
    unknown_spaces: int
    occupied: int | None
    unknown: int | None
    free_by_class: tuple[int, ...] | None
    observed_at: datetime
    received_at: datetime
    history_at: datetime
    transport: Transport = "mqtt"

    @property
    def order(self) -> tuple[int, int]:
        """(epoch, seq): of two reports of one lot the greater is the newer."""
        return self.epoch, self.seq

    @property
    def known_spaces(self) -> int:
        """The number of spaces known to be free or occupied."""
        return self.capacity - self.unknown_spaces

    @property
    def nothing_known(self) -> bool:
        """Whether there are spaces and nothing is known of any."""
        return 0 < self.unknown_spaces == self.capacity

    @property
    def is_full(self) -> bool:
        """Whether every space is known to be occupied."""
        return self.free_spaces == 0 and self.unknown_spaces == 0


@dataclass(frozen=True, slots=True)
class Committed:
    """A state and its commit.

    Attributes:
        state: The state.
        version: Rises with each commit of the lot.
        committed_at: By the database's clock.
    """

    state: LotState
    version: int
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class ReportTimes:
    """When a state was true, when it came in and how, and the newest instant of its history."""

    observed_at: datetime
    received_at: datetime
    history_at: datetime
    transport: Transport = "mqtt"


def sensed(
    lot: Lot, order: tuple[int, int], occupied: int, unknown: int, times: ReportTimes | LotState
) -> LotState:
    """Return the state of a lot that senses its bays.

    Args:
        lot: Its registration; the bitmaps hold none but its bays.
        order: (epoch, seq).
        occupied: Bay n at bit n-1.
        unknown: Likewise; no bay is in both.
        times: Of the report; or a state that has them.
    """
    free = lot.all_bays & ~(occupied | unknown)
    return LotState(
        epoch=order[0],
        seq=order[1],
        capacity=lot.capacity,
        free_spaces=free.bit_count(),
        unknown_spaces=unknown.bit_count(),
        occupied=occupied,
        unknown=unknown,
        free_by_class=tuple((free & mask).bit_count() for mask in lot.class_masks),
        observed_at=times.observed_at,
        received_at=times.received_at,
        history_at=times.history_at,
        transport=times.transport,
    )


def counted(
    order: tuple[int, int], capacity: int, free: int, unknown: int, times: ReportTimes | LotState
) -> LotState:
    """Return the state of a lot that counts at its gates.

    Args:
        order: (epoch, seq).
        capacity: Spaces in service.
        free: Free spaces among them.
        unknown: Unknown spaces among them.
        times: Of the report; or a state that has them.
    """
    return LotState(
        epoch=order[0],
        seq=order[1],
        capacity=capacity,
        free_spaces=free,
        unknown_spaces=unknown,
        occupied=None,
        unknown=None,
        free_by_class=None,
        observed_at=times.observed_at,
        received_at=times.received_at,
        history_at=times.history_at,
        transport=times.transport,
    )


def known_bitmaps(lot: Lot, state: LotState | None) -> tuple[int, int]:
    """Return a lot's bitmaps at its registered capacity.

    Returns:
        (occupied, unknown), bay n at bit n-1; bays that no report has covered are unknown.
    """
    if state is None or state.occupied is None or state.unknown is None:
        return 0, lot.all_bays
    occupied, unknown = state.occupied & lot.all_bays, state.unknown & lot.all_bays
    return occupied, unknown | grown_bays(lot, state.capacity)


def grown_bays(lot: Lot, covered: int) -> int:
    """Return the bays of a lot beyond the first `covered`, bay n at bit n-1."""
    return lot.all_bays & ~((1 << covered) - 1)


def fitted(lot: Lot, state: LotState) -> LotState:
    """Return a state that fits the lot's present registration.

    - Bays that the lot no longer has are dropped, bays that it has gained are unknown.
    - Free bays are counted by their present classes.
    - Of a lot that has changed how it reports nothing is known until its next report.
    - A lot that counts and has lost spaces: which ones is not known. With c spaces left, at least
      c - (old capacity - free) are free and at least c - (old capacity - occupied) are occupied;
      the others are unknown. One that has gained spaces keeps its spaces in service until it
      counts again.

    Numbering, age and history stay as they are.

    Returns:
        The state; equal to `state` where that fits already.
    """
    if lot.reporting == "bays":
        return sensed(lot, state.order, *known_bitmaps(lot, state), state)
    if state.occupied is not None or state.nothing_known:
        return counted(state.order, lot.capacity, 0, lot.capacity, state)
    lost = max(0, state.capacity - lot.capacity)
    if not lost:
        return state
    occupied = max(0, state.known_spaces - state.free_spaces - lost)
    free = max(0, state.free_spaces - lost)
    return counted(state.order, lot.capacity, free, lot.capacity - occupied - free, state)


def numbered_anew(state: LotState) -> LotState:
    """Return a state that any report comes after: its lot has gone to another operator.

    The new operator's gateway numbers by itself, and may be at a lower epoch than the old one's.
    """
    epoch, seq = _BEFORE_ANY
    return replace(state, epoch=epoch, seq=seq)


def live_for(report_interval_s: int) -> timedelta:
    """Return the greatest age at which a lot's state is `live`; history uses it as long."""
    return max(_LIVE_AT_LEAST, timedelta(seconds=1.5 * report_interval_s))


def stale_for(report_interval_s: int) -> timedelta:
    """Return the greatest age at which a lot's state is `stale`; older, it is `unknown`."""
    return max(_STALE_AT_LEAST, timedelta(seconds=3 * report_interval_s))


def data_state(observed_at: datetime | None, report_interval_s: int, now: datetime) -> DataState:
    """Return `live`, `stale` or `unknown`, by the rule of the database's function `data_state`.

    Args:
        observed_at: From when its age runs; None where the lot was never heard of.
        report_interval_s: The lot's.
        now: The instant at which the state's age counts.
    """
    if observed_at is None:
        return "unknown"
    age = now - observed_at
    if age <= live_for(report_interval_s):
        return "live"
    return "stale" if age <= stale_for(report_interval_s) else "unknown"


def misfits(lots: Mapping[str, Lot], states: Mapping[str, Committed]) -> dict[str, LotState]:
    """Return fitted states, by lot id, for the states that do not fit their lots."""
    fits = {lot_id: fitted(lots[lot_id], states[lot_id].state) for lot_id in states}
    return {lot_id: fit for lot_id, fit in fits.items() if fit != states[lot_id].state}
