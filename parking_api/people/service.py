"""Adds people; issues, replaces and revokes keys."""

from collections.abc import Collection
from datetime import datetime, timedelta

import asyncpg

from parking_api.people import queries
from parking_api.people.errors import (
    KeyEndedError,
    KeyExpiryError,
    KeyUnknownError,
    NotStandingError,
    OperatorUnknownError,
    PersonExistsError,
    PersonUnknownError,
    RoleNotHeldError,
)
from parking_api.people.keys import ApiKey
from parking_api.people.models import KeyAnswer, NewPerson, PersonAnswer
from parking_api.workflow import Act
from sql.engine import Db
from sql.kinds import OPERATOR, Role


async def add_person(act: Act, new: NewPerson) -> PersonAnswer:
    """Add a person, who has no key yet.

    Raises:
        PersonExistsError: The id is taken.
        OperatorUnknownError: There is no such operator.
    """
    try:
        added = await queries.add_person(
            act.db,
            person_id=new.person_id,
            name=new.name,
            roles=sorted(new.roles),
            operator_id=new.operator_id,
            at=act.at,
        )
    except asyncpg.ForeignKeyViolationError as error:
        raise OperatorUnknownError from error
    if added is None:
        raise PersonExistsError
    act.keep("person.add", added.person_id, None, added)
    return added


async def withdraw_role(act: Act, person_id: str, role: Role) -> PersonAnswer:
    """Take a role away from a person.

    Raises:
        PersonUnknownError: There is no such person.
        RoleNotHeldError: They do not have it.
    """
    before = await queries.locked_person(act.db, person_id)
    if before is None:
        raise PersonUnknownError
    if role not in before.roles:
        raise RoleNotHeldError
    after = await queries.set_roles(
        act.db,
        person_id,
        roles=[each for each in before.roles if each != role],
        operator_id=None if role == OPERATOR else before.operator_id,
    )
    act.keep("person.withdraw_role", person_id, before, after)
    return after


async def grant_roles(
    act: Act, person_id: str, roles: Collection[Role], operator_id: str | None
) -> PersonAnswer:
    """Add roles to a person's; two persons have agreed to it, or the database's owner.

    Raises:
        PersonUnknownError: There is no such person.
        OperatorUnknownError: There is no such operator.
    """
    before = await queries.locked_person(act.db, person_id)
    if before is None:
        raise PersonUnknownError
    try:
        after = await queries.set_roles(
            act.db,
            person_id,
            roles=sorted({*before.roles, *roles}),
            operator_id=operator_id or before.operator_id,
        )
    except asyncpg.ForeignKeyViolationError as error:
        raise OperatorUnknownError from error
    act.keep("person.grant_roles", person_id, before, after)
    return after


async def require_standing(act: Act, person_id: str | None, *roles: Role) -> None:
    """Refuse a second step where whoever took the first one counts as nobody by now.

    Raises:
        NotStandingError: They have lost all of these roles, or every key.
    """
    if person_id is None or not await queries.stands(act.db, person_id, roles=roles, at=act.at):
        raise NotStandingError


async def keys(db: Db, person_id: str) -> list[KeyAnswer]:
    """Read a person's keys, ended ones too, the newest first.

    Raises:
        PersonUnknownError: There is no such person.
    """
    if not await queries.people(db, most=1, person_id=person_id):
        raise PersonUnknownError
    return await queries.keys(db, person_id)


async def issue_key(
    act: Act,
    person_id: str,
    key: ApiKey,
    lifetime: timedelta,
    expires_at: datetime | None = None,
) -> KeyAnswer:
    """Give a person a further key.

    Args:
        act: Who does it, when and why.
        person_id: The person who gets it.
        key: The new key.
        lifetime: How long a key is good, at most.
        expires_at: From when on it is no longer good; None for the end of that lifetime.

    Raises:
        PersonUnknownError: There is no such person.
        KeyExpiryError: It would be expired already, or last longer than `lifetime`.
    """
    latest = act.at + lifetime
    if expires_at is not None and not act.at < expires_at <= latest:
        raise KeyExpiryError
    issued = await _add_key(act, person_id, key, expires_at or latest)
    act.keep("api_key.issue", _subject(issued), None, issued)
    return issued


async def rotate_key(
    act: Act,
    person_id: str | None,
    key_id: str,
    key: ApiKey,
    *,
    lifetime: timedelta,
    grace: timedelta,
) -> KeyAnswer:
    """Replace a key: the old one stays good for a while, or ends at once.

    Args:
        act: Who does it, when and why.
        person_id: The person who must have the old key; None for anybody.
        key_id: The old key.
        key: The new key.
        lifetime: How long the new one is good, at most.
        grace: How long the old one stays good, unless it expires before.

    Raises:
        KeyUnknownError: There is no such old key, or it is somebody else's.
        KeyEndedError: It is revoked, expired or replaced already.
    """
    old = await _key(act, person_id, key_id)
    if not queries.is_good(old, act.at) or old.replaced_by:
        raise KeyEndedError
    issued = await _add_key(act, old.person_id, key, act.at + lifetime)
    ended = await queries.end_key(
        act.db,
        key_id,
        expires_at=min(old.expires_at, act.at + grace),
        revoked_at=None if grace else act.at,
        replaced_by=issued.key_id,
    )
    act.keep("api_key.rotate", _subject(old), {"key": old}, {"key": ended, "new": issued})
    return issued


async def revoke_key(act: Act, person_id: str | None, key_id: str) -> KeyAnswer:
    """End a key at once, and its tokens with it; one that is revoked already stays as it is.

    Args:
        act: Who does it, when and why.
        person_id: The person who must have it; None for anybody.
        key_id: The key.

    Raises:
        KeyUnknownError: There is no such key, or it is somebody else's.
    """
    old = await _key(act, person_id, key_id)
    if old.revoked_at:
        return old
    ended = await queries.end_key(
        act.db,
        key_id,
        expires_at=old.expires_at,
        revoked_at=act.at,
        replaced_by=old.replaced_by,
    )
    act.keep("api_key.revoke", _subject(old), old, ended)
    return ended


async def _key(act: Act, person_id: str | None, key_id: str) -> KeyAnswer:
    found = await queries.key(act.db, key_id)
    if found is None or person_id not in (None, found.person_id):
        raise KeyUnknownError
    return found


async def _add_key(act: Act, person_id: str, key: ApiKey, expires_at: datetime) -> KeyAnswer:
    try:
        return await queries.add_key(
            act.db,
            key_id=key.key_id,
            person_id=person_id,
            hash=key.hash(),
            at=act.at,
            expires_at=expires_at,
        )
    except asyncpg.ForeignKeyViolationError as error:
        raise PersonUnknownError from error


def _subject(key: KeyAnswer) -> str:
    return f"{key.person_id}/{key.key_id}"
