"""Adds entries to the audit, and verifies its chain of hashes."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import asyncpg
import msgspec
from pydantic import BaseModel

from parking_api.audit import queries
from parking_api.audit.queries import Entry
from sql.engine import Db, Transaction

GENESIS: Final = bytes(32)
# So many entries, and bytes of their JSON, are read at once.
_PAGE: Final = 1_000
_PAGE_BYTES: Final = 2**20


class AuditValueError(Exception):
    """What was to be recorded cannot be kept: a NUL, a NaN, half a surrogate pair, 8 MiB."""


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

    In format 2, which the database's function `audit_entry_hash` makes, they are each of `format`,
    `entry_id`, `recorded_at`, `recorded_by`, `at`, `person_id`, `action`, `subject`, `before`,
    `after`, `reason` and `previous_hash` as its length in bytes, a colon and itself, or as `-` for
    null, with commas between them, in UTF-8. Times are RFC 3339 in UTC with six digits, `before`
    and `after` as PostgreSQL writes jsonb, hashes hexadecimal.

    In format 1, of entries that the programs made, they are JSON in UTF-8, keys sorted, no spaces,
    of the same without `format`, `recorded_at` and `recorded_by`.
    """
    if entry.format == 1:
        return _first_format(entry)
    parts = (
        str(entry.format),
        str(entry.entry_id),
        None if entry.recorded_at is None else _instant(entry.recorded_at),
        entry.recorded_by,
        _instant(entry.at),
        *(entry.person_id, entry.action, entry.subject),
        *(entry.before, entry.after, entry.reason),
        entry.previous_hash.hex(),
    )
    written = ("-" if part is None else f"{len(part.encode())}:{part}" for part in parts)
    return ",".join(written).encode()


def _first_format(entry: Entry) -> bytes:
    content = {
        "entry_id": entry.entry_id,
        "at": _instant(entry.at),
        "person_id": entry.person_id,
        "action": entry.action,
        "subject": entry.subject,
        "before": json.loads(entry.before or "null"),
        "after": json.loads(entry.after or "null"),
        "reason": entry.reason,
        "previous_hash": entry.previous_hash.hex(),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


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

    The database sets its number, the time of recording, the role that records, and the hashes.
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
        at: When it was done, aware.

    Returns:
        The entry's number.

    Raises:
        AuditValueError: `before`, `after` or `reason` cannot be kept.
        RuntimeError: There is no transaction.
    """
    if not db.is_in_transaction():
        raise RuntimeError("an audit entry goes into the transaction of the change it tells of")
    try:
        return await queries.add(
            db,
            person_id=person_id,
            action=action,
            subject=subject,
            before=_json(before),
            after=_json(after),
            reason=reason,
            at=at,
        )
    except (ValueError, asyncpg.DataError) as error:
        raise AuditValueError(str(AuditValueError.__doc__)) from error


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


def head_of(last: Entry | None) -> Head:
    """Return the end of a chain by its last entry; None for an empty one."""
    return Head(last.entry_id, last.hash) if last else Head(0, GENESIS)


async def verify(
    db: Db, known: bytes | None = None, hold: Callable[[Entry], None] | None = None
) -> Head:
    """Verify the chain from its first entry to its last.

    Args:
        db: In a transaction that sees one instant, the answer is of that instant.
        known: A hash that an earlier verification ended with: it must still be in the chain.
        hold: Called with each entry in order, to hold it to something more.

    Returns:
        Its end.

    Raises:
        ChainBrokenError: An entry was changed, removed or put in between; or the chain does not
            hold `known`, so that its end was cut off or written anew.
    """
    last: Entry | None = None
    found = known in (None, GENESIS)
    async for entry in walk(db):
        if hold is not None:
            hold(entry)
        last, found = entry, found or entry.hash == known
    if not found and known is not None:
        raise ChainBrokenError(
            f"none of its {head_of(last).entries:,} entries has the hash {known.hex()}: "
            "its end was cut off or written anew"
        )
    return head_of(last)


async def walk(db: Db, last: Entry | None = None) -> AsyncIterator[Entry]:
    """Yield the entries in order, each once it was held to the one before.

    Args:
        db: A connection.
        last: An entry that was there before, to begin after it; None for the first.

    Raises:
        ChainBrokenError: An entry was changed, removed or put in between; or `last` is there no
            more, or another.
    """
    if last is not None and await _page(db, last.entry_id - 1, 1) != [last]:
        raise ChainBrokenError(f"entry {last.entry_id}, which was there before, is gone or another")
    while entries := await _page(db, head_of(last).entries, _PAGE):
        for entry in entries:
            _hold(entry, last)
            yield entry
            last = entry


async def _page(db: Db, after_id: int, most: int) -> list[Entry]:
    try:
        return await queries.entries(db, after_id, most, _PAGE_BYTES)
    except OverflowError as error:
        raise ChainBrokenError(f"an entry after {after_id} has a time that is none") from error


def _hold(entry: Entry, previous: Entry | None) -> None:
    """Hold an entry to the one before, which is None for the first."""
    number = previous.entry_id + 1 if previous else 1
    if entry.entry_id != number:
        raise ChainBrokenError(f"entry {number} is missing: {entry.entry_id} comes instead")
    if entry.previous_hash != (previous.hash if previous else GENESIS):
        raise ChainBrokenError(f"entry {number} does not follow the one before it")
    try:
        expected = entry_hash(entry)
    except (ValueError, OverflowError) as error:
        raise ChainBrokenError(f"entry {number} has a time that is none") from error
    if entry.hash != expected:
        raise ChainBrokenError(f"entry {number} was changed: its hash is another")
    if previous and entry.format < previous.format:
        raise ChainBrokenError(f"entry {number} is of the first format, and those before it not")
