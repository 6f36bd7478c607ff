"""The chain: how an entry is hashed, and how one is added."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, TypeAlias

import asyncpg
from pydantic import BaseModel

from parking_api.models import Row
from sql.engine import AdvisoryLock, Db, Transaction, lock
from sql.named import named

Connection: TypeAlias = Db

GENESIS: Final = bytes(32)


class AuditValueError(Exception):
    """What was to be recorded cannot be kept as JSON: a NUL, a NaN, or half a surrogate pair."""


@dataclass(frozen=True)
class Action:
    """Who does something, when, and why: what every audited change is told.

    Attributes:
        person_id: Who.
        at: When, aware.
        reason: Why, if they said so.
    """

    person_id: str
    at: datetime
    reason: str | None = None


def canonical(entry: Row) -> bytes:
    """Return the bytes that an entry's hash is taken over.

    They are JSON in UTF-8, keys sorted, no spaces: `entry_id`, `at` (RFC 3339 in UTC with six
    digits), `person_id`, `action`, `subject`, `before`, `after`, `reason` and `previous_hash`
    (hexadecimal).

    Args:
        entry: The columns of audit_entry; `before` and `after` as PostgreSQL writes jsonb.
    """
    content = {name: entry[name] for name in ("entry_id", "person_id", "action", "subject")}
    content |= {
        "at": entry["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        "before": _parsed(entry["before"]),
        "after": _parsed(entry["after"]),
        "reason": entry["reason"],
        "previous_hash": entry["previous_hash"].hex(),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _parsed(column: str | None) -> Any:
    return None if column is None else json.loads(column)


def entry_hash(entry: Row) -> bytes:
    """Return SHA-256 of `canonical(entry)`."""
    return hashlib.sha256(canonical(entry)).digest()


async def record(
    connection: Connection,
    *,
    person_id: str,
    action: str,
    subject: str,
    before: Any,
    after: Any,
    reason: str | None,
    at: datetime,
) -> int:
    """Add an entry to the audit within the caller's transaction.

    From here to the end of the transaction, others who record wait: record last, after every lock
    on rows has been taken, so that two changes never wait for each other.

    Args:
        connection: In a transaction (READ COMMITTED, the default), the one of the change itself.
        person_id: Who changed it.
        action: What was done, such as `api_key.issue`.
        subject: What it was done to, such as `person/wang`.
        before: What it was, as JSON has it; None where it is new.
        after: What it became; None where it is gone.
        reason: Why.
        at: When, aware.

    Returns:
        The entry's number.

    Raises:
        AuditValueError: `before`, `after` or `reason` cannot be kept.
        RuntimeError: There is no transaction.
    """
    if not connection.is_in_transaction():
        raise RuntimeError("an audit entry goes into the transaction of the change it tells of")
    await lock(Transaction(connection), AdvisoryLock.AUDIT)
    try:
        # jsonb writes numbers and keys its own way: hashed is what will be read, not what is sent.
        head = await connection.fetchrow(named("audit_head"), _json(before), _json(after))
        assert head is not None  # noqa: S101 - the query always gives one row
        content = {
            "entry_id": head["entry_id"],
            "previous_hash": head["previous_hash"],
            "before": head["before_text"],
            "after": head["after_text"],
            "at": at,
            "person_id": person_id,
            "action": action,
            "subject": subject,
            "reason": reason,
        }
        await connection.execute(
            named("audit_add"),
            *(content[name] for name in ("entry_id", "at", "person_id", "action", "subject")),
            *(content[name] for name in ("before", "after", "reason", "previous_hash")),
            entry_hash(content),
        )
    except (ValueError, asyncpg.DataError) as error:
        raise AuditValueError(str(AuditValueError.__doc__)) from error
    return int(content["entry_id"])


def _json(value: Any) -> str | None:
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_written)


def _written(value: object) -> object:
    """Write what JSON does not know: a time or a day as RFC 3339, a model by its fields."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True)
    raise TypeError(f"{type(value).__name__} cannot be kept as JSON")
