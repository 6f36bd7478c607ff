"""Lots' registration and states, read from the database and written to it."""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg

from sql.engine import Db
from sql.kinds import SPACE_CLASSES
from sql.lot_states import Committed, Lot, LotState
from sql.named import named


class SupersededError(Exception):
    """The database holds other states than those that were built on: somebody else wrote.

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
    masks: dict[str, list[int]] = {}
    for row in await db.fetch(named("registry_classes"), lot_ids):
        bits = bitmap(row["numbers"])
        of_lot = masks.setdefault(row["lot_id"], [0] * len(SPACE_CLASSES))
        of_lot[SPACE_CLASSES.index(row["space_class"])] = bits
    return {
        row["lot_id"]: _lot(row, masks.get(row["lot_id"], [0] * len(SPACE_CLASSES)))
        for row in await db.fetch(named("registry_lots"), lot_ids)
    }


def _lot(row: asyncpg.Record, masks: list[int]) -> Lot:
    _, accessible, ev, large = masks
    standard = ((1 << row["capacity"]) - 1) & ~(accessible | ev | large)
    return Lot(**dict(row), class_masks=(standard, accessible, ev, large))


async def load_states(db: Db, lot_ids: Sequence[str] | None = None) -> dict[str, Committed]:
    """Read lots' committed states, by lot id; of those in `lot_ids`, or of all."""
    rows = await db.fetch(named("state_load"), lot_ids)
    return {row["lot_id"]: _committed(row) for row in rows}


def _committed(row: asyncpg.Record) -> Committed:
    def bits(name: str) -> int | None:
        return None if row[name] is None else int.from_bytes(row[name], "little")

    by_class = tuple(row[f"free_{name}"] for name in SPACE_CLASSES)
    state = LotState(
        epoch=row["epoch"],
        seq=row["seq"],
        capacity=row["capacity"],
        free_spaces=row["free_spaces"],
        unknown_spaces=row["unknown_spaces"],
        occupied=bits("occupied_bits"),
        unknown=bits("unknown_bits"),
        free_by_class=None if by_class[0] is None else by_class,
        observed_at=row["observed_at"],
        received_at=row["received_at"],
        history_at=row["history_at"],
    )
    return Committed(state, row["version"], row["committed_at"])


async def write_states(
    db: Db, states: Mapping[str, LotState], built_on: Mapping[str, Committed]
) -> dict[str, Committed]:
    """Write new states of lots, within the caller's transaction.

    Args:
        db: A connection in a transaction.
        states: By lot id.
        built_on: The committed states that they were built on; a lot without one had none.

    Returns:
        The states as committed, once the transaction is.

    Raises:
        SupersededError: The database holds another state of a lot than the one built on.
    """
    if not states:
        return {}
    # In one order always, so that two writers could never wait for each other in a circle.
    ids = sorted(states)
    rows = (_state_row(lot_id, states[lot_id], built_on.get(lot_id)) for lot_id in ids)
    columns = zip(*rows, strict=True)
    written = await db.fetch(named("state_apply"), *(list(column) for column in columns))
    if len(written) < len(states):
        raise SupersededError(states.keys() - {row["lot_id"] for row in written})
    return {
        row["lot_id"]: Committed(states[row["lot_id"]], row["version"], row["committed_at"])
        for row in written
    }


def _state_row(lot_id: str, state: LotState, built_on: Committed | None) -> tuple[object, ...]:
    return (
        lot_id,
        None if built_on is None else built_on.version,
        state.epoch,
        state.seq,
        state.capacity,
        state.free_spaces,
        state.unknown_spaces,
        bitmap_bytes(state.occupied, state.capacity),
        bitmap_bytes(state.unknown, state.capacity),
        *(state.free_by_class or (None,) * len(SPACE_CLASSES)),
        state.observed_at,
        state.received_at,
        state.history_at,
    )


def bitmap(numbers: Iterable[int]) -> int:
    """Set bit n-1 for each bay n."""
    return sum(1 << (number - 1) for number in numbers)


def bitmap_bytes(bits: int | None, capacity: int) -> bytes | None:
    """Lay a bitmap out as bytes, bay n at bit (n-1) mod 8 of byte (n-1) div 8."""
    return None if bits is None else bits.to_bytes((capacity + 7) // 8, "little")
