"""What a failed transaction says: that the database is away, or that a message cannot be stored."""

import asyncpg

from sql.engine import Db
from sql.lot_state_store import SupersededError

# SQLSTATE classes of what a message holds, while the database itself is well: cardinality, data,
# integrity, views' checks, limits of the program (an index row too large), and raised by triggers.
_DATA_CLASSES = frozenset({"21", "22", "23", "44", "54", "P0"})
# What asyncpg raises when a connection breaks, also between two of its own steps.
_BROKEN = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


def is_of_a_message(error: Exception, db: "Db | None") -> bool:
    """Tell whether a transaction failed by what it was to write.

    Nothing of it is written then, the connection stands, and what was loaded is still true. In all
    other cases nothing is known of the transaction: the database is away, or not as it should be.

    Args:
        error: What the transaction raised.
        db: The connection that it ran on.
    """
    if isinstance(error, SupersededError):
        return False
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] in _DATA_CLASSES
    if db is None or db.is_closed():
        return False
    # What asyncpg's own encoders refuse, before it is sent, is an InterfaceError and a ValueError.
    return isinstance(error, ValueError) or not isinstance(error, _BROKEN)
