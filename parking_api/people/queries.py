"""People queries and commands: the statements of `sql/queries/people.sql`."""

from collections.abc import Sequence
from datetime import datetime

from parking_api.people.models import KeyAnswer, PersonAnswer
from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("people")


class Person(Row):
    """Somebody known to the platform, with at least one role; `operator_id` is an operator's."""

    person_id: str
    name: str
    roles: list[str]
    operator_id: str | None
    created_at: datetime


class Credential(Person):
    """A person with a key of theirs; `hash` is the SHA-256 of its secret."""

    hash: bytes
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


def is_good(key: Credential | KeyAnswer, now: datetime) -> bool:
    """Whether a key has neither expired nor been revoked."""
    return key.revoked_at is None and key.expires_at > now


class Keyed(Row):
    """Somebody with the ids of their good keys."""

    person_id: str
    name: str
    roles: list[str]
    operator_id: str | None
    key_ids: list[str]


@statement
async def people(
    db: Db, *, most: int, after: str = "", person_id: str | None = None
) -> list[PersonAnswer]:
    """Read people by `person_id`, from the one after `after` on; or one of them."""


@statement
async def add_person(
    db: Transaction,
    *,
    person_id: str,
    name: str,
    roles: Sequence[str],
    operator_id: str | None,
    at: datetime,
) -> PersonAnswer | None:
    """Add a person; None where the id is taken."""


@statement
async def locked_person(db: Transaction, person_id: str) -> PersonAnswer | None:
    """Read a person, and lock them."""


@statement
async def set_roles(
    db: Transaction, person_id: str, *, roles: Sequence[str], operator_id: str | None
) -> PersonAnswer:
    """Set a person's roles, and whose lots an operator is about."""


@statement
async def is_owner(db: Db) -> bool:
    """Whether the connection is the owner's of the table of people."""


@statement
async def is_anybody_there(db: Db) -> bool:
    """Whether there is any person."""


@statement
async def recoveries(db: Db) -> int:
    """Count the recoveries that the audit tells of."""


@statement
async def tell_of_recovery(db: Transaction) -> None:
    """Have every process of the API count the recoveries, once this one is committed."""


@statement
async def demo_operator(db: Db) -> str | None:
    """Find the operator of the demo's person; None in a city without operators."""


@statement
async def credential(db: Db, key_id: str) -> Credential | None:
    """Read a key, good or not, with its person."""


@statement
async def touch_key(db: Db, key_id: str, at: datetime) -> None:
    """Note roughly when a key was last used."""


@statement
async def good_keys(db: Db, at: datetime) -> list[Keyed]:
    """Read everybody with the keys that are good at a time."""


@statement
async def keys(db: Db, person_id: str) -> list[KeyAnswer]:
    """Read a person's keys, ended ones too, the newest first."""


@statement
async def key(db: Transaction, key_id: str) -> KeyAnswer | None:
    """Read a key, and lock it."""


@statement
async def add_key(
    db: Transaction,
    *,
    key_id: str,
    person_id: str,
    hash: bytes,  # noqa: A002 - the column's name
    at: datetime,
    expires_at: datetime,
) -> KeyAnswer:
    """Add a key."""


@statement
async def end_key(
    db: Transaction,
    key_id: str,
    *,
    expires_at: datetime,
    revoked_at: datetime | None,
    replaced_by: str | None,
) -> KeyAnswer:
    """Set when a key ends, and which one takes its place."""


@statement
async def stands(db: Db, person_id: str, *, roles: Sequence[str], at: datetime) -> bool:
    """Whether a person has one of some roles, and a key that is good."""
