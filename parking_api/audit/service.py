"""Adds entries to the audit, and verifies its chain of hashes."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import asyncpg
import msgspec
from pydantic import BaseModel

from parking_api.audit import queries
from parking_api.audit.queries import Entry
from sql.engine import AdvisoryLock, Db, Transaction, lock

GENESIS: Final = bytes(32)
_PAGE: Final = 5_000


class AuditValueError(Exception):
    """What was to be recorded cannot be kept as JSON: a NUL, a NaN, or half a surrogate pair."""


class ChainBrokenError(Exception):
    """The chain is broken; the message says where and how."""


@dataclass(frozen=True)
class Head:
    """The end of the chain.

    Attributes:
        entries: How many entries there are, which is the number of the last.
        hash: The last one's hash; 32 zero bytes where there is none.
    """

    entries: int
    hash: bytes


def canonical(entry: Entry) -> bytes:
    """Return the bytes that an entry's hash is taken over.

    They are JSON in UTF-8, keys sorted, no spaces: `entry_id`, `at` (RFC 3339 in UTC with six
    digits), `person_id`, `action`, `subject`, `before`, `after`, `reason` and `previous_hash`
    (hexadecimal).
    """
    content = msgspec.structs.asdict(entry) | {
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "before": json.loads(entry.before or "null"),
        "after": json.loads(entry.after or "null"),
        "previous_hash": entry.previous_hash.hex(),
    }
    del content["hash"]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def entry_hash(entry: Entry) -> bytes:
    """Return SHA-256 of `canonical(entry)`."""
    return hashlib.sha256(canonical(entry)).digest()


async def record(
    db: Transaction,
    *,
    person_id: str,
    action: str,
    subject: str,
    before: object,
    after: object,
    reason: str | None,
    at: datetime,
) -> int:
    """Add an entry to the audit, in the transaction of the change that it tells of.

    From here to the end of the transaction, others who record wait: record last, after every lock
    on rows has been taken, so that two changes never wait for each other.

    Args:
        db: A transaction of the default isolation, READ COMMITTED.
        person_id: Who changed it.
        action: What was done, such as `api_key.issue`.
        subject: What it was done to, such as `person/wang`.
        before: What it was: JSON, times, models and rows of statements; None where it is new.
        after: What it became; None where it is gone.
        reason: Why.
        at: When, aware.

    Returns:
        The entry's number.

    Raises:
        AuditValueError: `before`, `after` or `reason` cannot be kept.
        RuntimeError: There is no transaction.
    """
    if not db.is_in_transaction():
        raise RuntimeError("an audit entry goes into the transaction of the change it tells of")
    await lock(db, AdvisoryLock.AUDIT)
    try:
        # jsonb writes numbers and keys its own way: hashed is what will be read, not what is sent.
        head = await queries.head(db, _json(before), _json(after))
        entry = Entry(
            head.entry_id,
            at,
            person_id,
            action,
            subject,
            head.before_text,
            head.after_text,
            reason,
            head.previous_hash,
            hash=b"",
        )
        await queries.add(db, **(msgspec.structs.asdict(entry) | {"hash": entry_hash(entry)}))
    except (ValueError, asyncpg.DataError) as error:
        raise AuditValueError(str(AuditValueError.__doc__)) from error
    return head.entry_id


def _json(value: object) -> str | None:
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_written)


def _written(value: object) -> object:
    """Write what JSON does not know: a time or a day as RFC 3339, a model or row by its fields."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True)
    raise TypeError(f"{type(value).__name__} cannot be kept as JSON")


async def verify(db: Db, known: bytes | None = None) -> Head:
    """Verify the chain from its first entry to its last.

    Args:
        db: In a transaction that sees one instant, the answer is of that instant.
        known: A hash that an earlier verification ended with: it must still be in the chain.

    Returns:
        Its end.

    Raises:
        ChainBrokenError: An entry was changed, removed or put in between; or the chain does not
            hold `known`, so that its end was cut off or written anew.
    """
    head, found = Head(0, GENESIS), known in (None, GENESIS)
    while entries := await queries.entries(db, head.entries, _PAGE):
        for entry in entries:
            head = _next(head, entry)
            found = found or head.hash == known
    if not found and known is not None:
        raise ChainBrokenError(
            f"none of its {head.entries:,} entries has the hash {known.hex()}: "
            "its end was cut off or written anew"
        )
    return head


def _next(head: Head, entry: Entry) -> Head:
    number = head.entries + 1
    if entry.entry_id != number:
        raise ChainBrokenError(f"entry {number} is missing: {entry.entry_id} comes instead")
    if entry.previous_hash != head.hash:
        raise ChainBrokenError(f"entry {number} does not follow the one before it")
    if entry.hash != entry_hash(entry):
        raise ChainBrokenError(f"entry {number} was changed: its hash is another")
    return Head(number, entry.hash)
