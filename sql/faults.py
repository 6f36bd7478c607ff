"""What a fault of the database says: that it is away, or that something cannot be written."""

from typing import Final

import asyncpg

from sql.engine import Db
from sql.lot_state_store import SupersededError

# Not every PostgreSQL error: one in our own SQL is a fault of ours, not an absence.
ABSENCES: Final = (
    OSError,  # refused and reset; a time-out is one too
    asyncpg.InterfaceError,
    # What asyncpg raises when a connection breaks between two of its own steps.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
)
# All that talking to a database can end with.
FAULTS: Final = (*ABSENCES, asyncpg.PostgresError)

# SQLSTATE classes of what was to be written, while the database itself is well: cardinality, data,
# integrity, views' checks, limits of the program (an index row too large), and raised by triggers.
_DATA_CLASSES: Final = frozenset({"21", "22", "23", "44", "54", "P0"})


def is_of_data(error: Exception, db: "Db | None") -> bool:
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
    return isinstance(error, ValueError) or not isinstance(error, ABSENCES)
