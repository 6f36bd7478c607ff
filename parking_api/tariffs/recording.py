"""What the audit keeps of a change of a tariff version."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from parking_api.audit import Action, Connection, record
from parking_api.tariffs import answers, queries
from parking_api.tariffs.queries import Key


@asynccontextmanager
async def recorded(
    connection: Connection, key: Key, action: str, act: Action, *, is_new: bool = False
) -> AsyncIterator[None]:
    """Record what the block changes of a version: as it was before, and as it is after.

    Args:
        connection: In the transaction of the change.
        key: The version.
        action: What is done, such as `tariff.approve`.
        act: Who does it, when and why.
        is_new: Whether it was not there before.
    """
    before = None if is_new else await _kept(connection, key, act)
    yield
    await record(
        connection,
        person_id=act.person_id,
        action=action,
        subject=key.subject,
        before=before,
        after=await _kept(connection, key, act),
        reason=act.reason,
        at=act.at,
    )


async def _kept(connection: Connection, key: Key, act: Action) -> object:
    row = await queries.version(connection, key, act.at, whole=True)
    return answers.audited(row)
