"""What is read about people and keys."""

from collections.abc import Sequence
from typing import Any

from parking_api.audit import Connection
from parking_api.models import Json, Row
from parking_api.paging import cut
from parking_api.people.errors import KeyUnknownError, PersonUnknownError
from sql.named import named

# What of a key is told; its hash never is.
KEY_COLUMNS = (
    "key_id",
    "person_id",
    "created_at",
    "expires_at",
    "revoked_at",
    "last_used_at",
    "replaced_by",
)


def person(row: Row) -> Json:
    """Make a person out of a row of the table."""
    told = {name: row[name] for name in ("person_id", "name", "roles", "operator_id", "created_at")}
    return {**told, "roles": sorted(told["roles"])}


def key(row: Row) -> Json:
    """Make a key out of a row of the table."""
    return {name: row[name] for name in KEY_COLUMNS}


async def people_page(
    connection: Connection, after: str, limit: int
) -> tuple[Sequence[Any], str | None]:
    """Read a page of people.

    Args:
        connection: To the database.
        after: The id to start after; empty from the first.
        limit: The most people.

    Returns:
        Their rows, by `person_id`, and the cursor of the next page where there is one.
    """
    rows = await connection.fetch(named("person_page"), after, limit + 1)
    return cut(rows, limit, "person_id")


async def one_person(connection: Connection, person_id: str) -> Row:
    """Read a person.

    Raises:
        PersonUnknownError: There is none of that id.
    """
    row: Row | None = await connection.fetchrow(named("person_one"), person_id)
    if row is None:
        raise PersonUnknownError
    return row


async def keys_of(connection: Connection, person_id: str) -> list[Json]:
    """Read a person's keys, ended ones too, the newest first.

    Raises:
        PersonUnknownError: There is no such person.
    """
    await one_person(connection, person_id)
    return [key(row) for row in await connection.fetch(named("api_key_list"), person_id)]


async def locked_key(connection: Connection, key_id: str, person_id: str | None) -> Row:
    """Read a key and hold it until the transaction ends.

    Args:
        connection: In a transaction.
        key_id: The key.
        person_id: Whose it must be; None for anybody's.

    Raises:
        KeyUnknownError: There is none of that id, or it is somebody else's.
    """
    row: Row | None = await connection.fetchrow(named("api_key_locked"), key_id)
    if row is None or person_id not in (None, row["person_id"]):
        raise KeyUnknownError
    return row
