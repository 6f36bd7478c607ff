"""Lots' states after their registration has changed: brought into line in the same transaction."""

from collections.abc import Sequence

from parking_api.command_line import Connection
from sql.engine import Transaction
from sql.lot_state_store import load_lots, load_states, lock_states, write_states
from sql.lot_states import misfits


async def bring_into_line(connection: Connection, lot_ids: Sequence[str]) -> int:
    """Fit the states of lots to what the lots are registered with now; within a transaction.

    Only the states that do not fit are locked, and at the end of the import: the ingester waits
    for no others, and decides again what it has decided on those.

    Args:
        connection: The import's, with lots and bays written.
        lot_ids: The lots that were imported.

    Returns:
        How many states were changed.
    """
    lots = await load_lots(connection, lot_ids)
    off = sorted(misfits(lots, await load_states(connection, lot_ids)))
    if not off:
        return 0
    await lock_states(Transaction(connection), off)
    states = await load_states(connection, off)
    fits = misfits(lots, states)
    await write_states(Transaction(connection), fits, states)
    return len(fits)
