"""Queries and commands for lots' registration and states: `sql/queries/states.sql`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import asdict

from sql.engine import Db, Transaction
from sql.kinds import SPACE_CLASSES, SpaceClass, Transport
from sql.lot_states import Committed, Lot, LotState, Registration
from sql.statements import Row, Statements

statement = Statements("states")


class Bays(Row):
    """The numbers of a lot's bays of one class."""

    lot_id: str
    space_class: SpaceClass
    numbers: list[int]


class StateColumns(Row):
    """The columns of a lot's state; see `LotState`. A lot that counts has no bitmaps."""

    lot_id: str
    epoch: int
    seq: int
    capacity: int
    free_spaces: int
    unknown_spaces: int
    occupied_bits: bytes | None
    unknown_bits: bytes | None
    free_standard: int | None
    free_accessible: int | None
    free_ev: int | None
    free_large: int | None
    observed_at: datetime
    received_at: datetime
    history_at: datetime
    transport: Transport


class StoredState(StateColumns):
    """A state as last committed."""

    version: int
    committed_at: datetime


class NewState(StateColumns):
    """A state to write, if the lot's is still of the version that it was built on."""

    built_on: int | None


class Written(Row):
    """A state that was written."""

    lot_id: str
    version: int
    committed_at: datetime


@statement
async def lots(db: Db, lot_ids: Sequence[str] | None) -> list[Registration]:
    """Read lots' registration; None for all."""


@statement
async def classes(db: Db, lot_ids: Sequence[str] | None) -> list[Bays]:
    """Read which bays of lots are not of class standard; None for all lots."""


@statement
async def states(db: Db, lot_ids: Sequence[str] | None) -> list[StoredState]:
    """Read lots' states; None for all."""


@statement
async def lock_states(db: Transaction, lot_ids: Sequence[str]) -> list[str]:
    """Lock the states of some lots until the transaction ends."""


@statement
async def apply_states(db: Transaction, rows: Sequence[NewState]) -> list[Written]:
    """Write states; the result lacks those of which another was written meanwhile."""


class SupersededError(Exception):
    """Somebody else has written states since those that the new ones are built on.

    Attributes:
        lot_ids: The lots whose states were not written.
    """

    def __init__(self, lot_ids: Iterable[str] = ()) -> None:
        super().__init__()
        self.lot_ids = frozenset(lot_ids)


async def load_lots(db: Db, lot_ids: Sequence[str] | None = None) -> dict[str, Lot]:
    """Read lots' registration with the bays of each class, by lot id.

    Args:
        db: A connection; in a transaction of its own snapshot where states are read as well.
        lot_ids: Which lots; None for all.
    """
    masks: dict[str, dict[SpaceClass, int]] = {}
    for bays in await classes(db, lot_ids):
        masks.setdefault(bays.lot_id, {})[bays.space_class] = bitmap(bays.numbers)
    return {lot.lot_id: _lot(lot, masks.get(lot.lot_id, {})) for lot in await lots(db, lot_ids)}


def _lot(lot: Registration, masks: Mapping[SpaceClass, int]) -> Lot:
    _, accessible, ev, large = (masks.get(each, 0) for each in SPACE_CLASSES)
    standard = ((1 << lot.capacity) - 1) & ~(accessible | ev | large)
    return Lot(**asdict(lot), class_masks=(standard, accessible, ev, large))


async def load_states(db: Db, lot_ids: Sequence[str] | None = None) -> dict[str, Committed]:
    """Read lots' committed states, by lot id; of those in `lot_ids`, or of all."""
    return {state.lot_id: _committed(state) for state in await states(db, lot_ids)}


def _committed(stored: StoredState) -> Committed:
    free = [stored.free_standard, stored.free_accessible, stored.free_ev, stored.free_large]
    state = LotState(
        epoch=stored.epoch,
        seq=stored.seq,
        capacity=stored.capacity,
        free_spaces=stored.free_spaces,
        unknown_spaces=stored.unknown_spaces,
        occupied=_bits(stored.occupied_bits),
        unknown=_bits(stored.unknown_bits),
        free_by_class=None if free[0] is None else tuple(each or 0 for each in free),
        observed_at=stored.observed_at,
        received_at=stored.received_at,
        history_at=stored.history_at,
        transport=stored.transport,
    )
    return Committed(state, stored.version, stored.committed_at)


def _bits(column: bytes | None) -> int | None:
    return None if column is None else int.from_bytes(column, "little")


async def write_states(
    db: Transaction, states: Mapping[str, LotState], built_on: Mapping[str, Committed]
) -> dict[str, Committed]:
    """Write new states of lots.

    Args:
        db: Commits them, or not.
        states: By lot id.
        built_on: The committed states that they were built on; a lot without one had none.

    Returns:
        The states with their commits, by lot id; true once the transaction commits.

    Raises:
        SupersededError: The database holds another state of a lot than the one built on.
    """
    if not states:
        return {}
    # Always in the same order, so that two writers never wait for each other in a circle.
    rows = [_row(lot_id, states[lot_id], built_on.get(lot_id)) for lot_id in sorted(states)]
    written = {one.lot_id: one for one in await apply_states(db, rows)}
    if len(written) < len(states):
        raise SupersededError(states.keys() - written.keys())
    return {
        lot_id: Committed(states[lot_id], one.version, one.committed_at)
        for lot_id, one in written.items()
    }


def _row(lot_id: str, state: LotState, built_on: Committed | None) -> NewState:
    standard, accessible, ev, large = state.free_by_class or (None, None, None, None)
    return NewState(
        lot_id=lot_id,
        built_on=None if built_on is None else built_on.version,
        epoch=state.epoch,
        seq=state.seq,
        capacity=state.capacity,
        free_spaces=state.free_spaces,
        unknown_spaces=state.unknown_spaces,
        occupied_bits=bitmap_bytes(state.occupied, state.capacity),
        unknown_bits=bitmap_bytes(state.unknown, state.capacity),
        free_standard=standard,
        free_accessible=accessible,
        free_ev=ev,
        free_large=large,
        observed_at=state.observed_at,
        received_at=state.received_at,
        history_at=state.history_at,
        transport=state.transport,
    )


def bitmap(numbers: Iterable[int]) -> int:
    """Return an integer with bit n-1 set for each bay n."""
    return sum(1 << (number - 1) for number in numbers)


def bitmap_bytes(bits: int | None, capacity: int) -> bytes | None:
    """Return a bitmap as bytes, bay n at bit (n-1) mod 8 of byte (n-1) div 8."""
    return None if bits is None else bits.to_bytes((capacity + 7) // 8, "little")
