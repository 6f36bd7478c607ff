"""Changes of people and keys; each leaves an entry in the audit, within its own transaction."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson

from parking_api.audit import Action, Connection, record
from parking_api.models import Json, Row
from parking_api.people import queries
from parking_api.people.errors import (
    ExpiryPastError,
    KeyEndedError,
    OperatorUnknownError,
    PersonExistsError,
    PersonUnknownError,
)
from parking_api.people.keys import ApiKey
from parking_api.people.models import NewPerson
from sql.named import named


async def add_person(connection: Connection, new: NewPerson, by: Action) -> Json:
    """Add a person, who has no key yet.

    Raises:
        PersonExistsError: The id is taken.
        OperatorUnknownError: There is no such operator.
    """
    values = (new.person_id, new.name, sorted(new.roles), new.operator_id, by.at)
    try:
        row = await connection.fetchrow(named("person_add"), *values)
    except asyncpg.ForeignKeyViolationError as error:
        raise OperatorUnknownError from error
    if row is None:
        raise PersonExistsError
    added = queries.person(row)
    await _record(connection, by, "person.add", new.person_id, before=None, after=added)
    return added


async def issue_key(
    connection: Connection,
    person_id: str,
    key: ApiKey,
    by: Action,
    expires_at: datetime | None = None,
) -> Json:
    """Give a person a further key.

    Args:
        connection: In a transaction.
        person_id: Whose it is to be.
        key: The new key.
        by: Who does it.
        expires_at: From when on it is no longer good; None for good until it is revoked.

    Raises:
        PersonUnknownError: There is no such person.
        ExpiryPastError: It would be expired already.
    """
    if expires_at is not None and expires_at <= by.at:
        raise ExpiryPastError
    issued = await _insert(connection, person_id, key, by.at, expires_at)
    await _record(connection, by, "api_key.issue", _subject(issued), before=None, after=issued)
    return issued


async def rotate_key(
    connection: Connection, old: Row, key: ApiKey, grace: timedelta, by: Action
) -> Json:
    """Replace a key: the old one stays good for `grace`, or ends at once.

    Args:
        connection: In a transaction.
        old: As `queries.locked_key` reads it.
        key: The new key; it is good until it is revoked.
        grace: How long the old one stays good, unless it expires before.
        by: Who does it.

    Raises:
        KeyEndedError: The old key is revoked, expired or replaced already.
    """
    if _has_ended(old, by.at) or old["replaced_by"]:
        raise KeyEndedError
    issued = await _insert(connection, old["person_id"], key, by.at, None)
    expires_at = min(old["expires_at"] or by.at + grace, by.at + grace)
    ended = await connection.fetchrow(
        named("api_key_end"), old["key_id"], expires_at, None if grace else by.at, key.key_id
    )
    before, after = {"key": queries.key(old)}, {"key": queries.key(_row(ended)), "new": issued}
    await _record(connection, by, "api_key.rotate", _subject(old), before=before, after=after)
    return issued


async def revoke_key(connection: Connection, old: Row, by: Action) -> Json:
    """End a key at once, and its tokens with it; one that is revoked already stays as it is.

    Args:
        connection: In a transaction.
        old: As `queries.locked_key` reads it.
        by: Who does it.
    """
    if old["revoked_at"]:
        return queries.key(old)
    ended = _row(
        await connection.fetchrow(
            named("api_key_end"), old["key_id"], old["expires_at"], by.at, old["replaced_by"]
        )
    )
    before, after = queries.key(old), queries.key(ended)
    await _record(connection, by, "api_key.revoke", _subject(old), before=before, after=after)
    return after


async def _insert(
    connection: Connection, person_id: str, key: ApiKey, at: datetime, expires_at: datetime | None
) -> Json:
    values = (key.key_id, person_id, key.hash(), at, expires_at)
    try:
        return queries.key(_row(await connection.fetchrow(named("api_key_add"), *values)))
    except asyncpg.ForeignKeyViolationError as error:
        raise PersonUnknownError from error


def _has_ended(key: Row, now: datetime) -> bool:
    expires_at: datetime | None = key["expires_at"]
    return key["revoked_at"] is not None or (expires_at is not None and expires_at <= now)


def _row(row: Row | None) -> Row:
    if row is None:
        raise RuntimeError("a statement that writes one row has written none")
    return row


def _subject(key: Row) -> str:
    return f"{key['person_id']}/{key['key_id']}"


async def _record(
    connection: Connection, by: Action, action: str, subject: str, *, before: Any, after: Any
) -> None:
    await record(
        connection,
        person_id=by.person_id,
        action=action,
        subject=subject,
        before=_json(before),
        after=_json(after),
        reason=by.reason,
        at=by.at,
    )


def _json(value: Any) -> Any:
    """Write times as JSON has them."""
    return orjson.loads(orjson.dumps(value))
