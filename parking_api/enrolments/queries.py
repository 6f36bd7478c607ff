"""Enrolment queries and commands: the statements of `sql/queries/enrolments.sql`."""

from collections.abc import Sequence
from datetime import datetime

from parking_api.enrolments.models import EnrolmentAnswer
from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("enrolments")


class Try(Row):
    """An enrolment whose code may be tried; `code_hash` is the SHA-256 of the code."""

    person_id: str
    kind: str
    code_hash: bytes | None


@statement
async def enrolments(db: Db, *, most: int, after: str) -> list[EnrolmentAnswer]:
    """Read enrolments by `enrolment_id`, from the one after `after` on."""


@statement
async def locked(db: Transaction, enrolment_id: str) -> EnrolmentAnswer | None:
    """Read an enrolment, and lock it."""


@statement
async def start(
    db: Transaction,
    *,
    enrolment_id: str,
    kind: str,
    person_id: str,
    name: str | None,
    roles: Sequence[str],
    operator_id: str | None,
    by: str,
    at: datetime,
) -> EnrolmentAnswer:
    """Start an enrolment."""


@statement
async def confirm(
    db: Transaction,
    enrolment_id: str,
    *,
    by: str,
    at: datetime,
    code_hash: bytes,
    code_expires_at: datetime,
) -> EnrolmentAnswer:
    """Confirm an enrolment: from here on its code may be tried."""


@statement
async def take_try(db: Transaction, enrolment_id: str, *, at: datetime, most: int) -> Try | None:
    """Count a try of a code; None where none is left, the code is too old, or there is none."""


@statement
async def has_code(db: Db, enrolment_id: str, code_hash: bytes) -> bool:
    """Whether an enrolment is confirmed, and its code is still that one."""


@statement
async def complete(
    db: Transaction, enrolment_id: str, *, at: datetime, key_id: str | None
) -> EnrolmentAnswer:
    """Complete an enrolment; its code is used."""


@statement
async def withdraw(db: Transaction, enrolment_id: str) -> EnrolmentAnswer:
    """Withdraw an enrolment; its code is good for nothing any more."""
