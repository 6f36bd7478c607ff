"""Audit queries and commands: the statements of `sql/queries/audit.sql`."""

from datetime import datetime

from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("audit")


class Entry(Row):
    """An entry; `before` and `after` are JSON text, as PostgreSQL writes jsonb.

    Attributes:
        at: When, as the program says.
        format: What the hash is taken over, see `service.canonical`.
        recorded_at: When, by the database's clock; None in format 1.
        recorded_by: The database's role that recorded it; None in format 1.
    """

    entry_id: int
    at: datetime
    person_id: str
    action: str
    subject: str
    before: str | None
    after: str | None
    reason: str | None
    previous_hash: bytes
    hash: bytes
    format: int
    recorded_at: datetime | None
    recorded_by: str | None


@statement
async def add(
    db: Transaction,
    *,
    person_id: str,
    action: str,
    subject: str,
    before: str | None,
    after: str | None,
    reason: str | None,
    at: datetime,
) -> int:
    """Add an entry to the end of the chain; return its number."""


@statement
async def entries(db: Db, after_id: int, most: int, most_bytes: int) -> list[Entry]:
    """Read entries in order, from the one after `after_id` on, one at least if there is any."""
