"""Decision queries and commands: the statements of `sql/queries/decisions.sql`."""

from datetime import datetime
from typing import Literal

from parking_api.decisions.models import DecisionAnswer
from sql.engine import Db, Transaction
from sql.statements import Statements

statement = Statements("decisions")


@statement
async def decisions(
    db: Db, at: datetime, *, open_only: bool, after: str, most: int
) -> list[DecisionAnswer]:
    """Read decisions by `decision_id`, from the one after `after` on; all, or those asked for."""


@statement
async def locked(db: Transaction, decision_id: str, at: datetime) -> DecisionAnswer | None:
    """Read a decision with its state at a time, and lock it."""


@statement
async def add(
    db: Transaction,
    *,
    decision_id: str,
    step: str,
    subject: str,
    asked_text: str,
    by: str,
    at: datetime,
    lapses_at: datetime,
) -> DecisionAnswer:
    """Ask for a decision."""


@statement
async def settle(
    db: Transaction,
    decision_id: str,
    *,
    state: Literal["confirmed", "withdrawn"],
    by: str,
    at: datetime,
) -> DecisionAnswer:
    """Say that a decision is confirmed or withdrawn, by whom and when."""


@statement
async def take_import(db: Transaction, digest: str, at: datetime) -> str | None:
    """Find the confirmed, unused decision on an import of some files, and use it; None for none."""
