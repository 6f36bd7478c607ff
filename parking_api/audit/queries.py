"""Audit queries and commands: the statements of `sql/queries/audit.sql`."""

from datetime import datetime

from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("audit")


class Head(Row):
    """The place of the next entry in the chain, and its values as they will be read: JSON text."""

    entry_id: int
    previous_hash: bytes
    before_text: str | None
    after_text: str | None


class Entry(Row):
    """An entry; `before` and `after` are JSON text, as PostgreSQL writes jsonb."""

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


@statement
async def head(db: Transaction, before: str | None, after: str | None) -> Head:
    """Read the place of the next entry, and write its values as jsonb does."""


@statement
async def add(
    db: Transaction,
    *,
    entry_id: int,
    at: datetime,
    person_id: str,
    action: str,
    subject: str,
    before: str | None,
    after: str | None,
    reason: str | None,
    previous_hash: bytes,
    hash: bytes,  # noqa: A002 - the column's name
) -> None:
    """Add an entry."""


@statement
async def entries(db: Db, after_id: int, most: int) -> list[Entry]:
    """Read entries in order, from the one after `after_id` on."""
