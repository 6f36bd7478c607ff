"""Price mechanisms from draft to retirement; each change with its row in the audit."""

import json

import pricing
from parking_api.audit import Action, Connection, record
from parking_api.errors import ParameterFault
from parking_api.mechanisms import answers
from parking_api.mechanisms.errors import (
    MechanismExistsError,
    MechanismsOverlapError,
    MechanismStateError,
    MechanismUnfitError,
    MechanismUnknownError,
)
from parking_api.mechanisms.tariff import check_control, check_limits, standing
from parking_api.models import Json, Row
from parking_api.tariffs.errors import NotTheDrafterError
from parking_api.workflow import SamePersonError
from parking_api.zones import queries as zone_queries
from pricing.mechanism import Mechanism
from sql.engine import AdvisoryLock, Transaction, lock
from sql.named import named


async def mechanism(connection: Connection, mechanism_id: str, *, whole: bool) -> Row:
    """Read one mechanism.

    Raises:
        MechanismUnknownError: There is none, or it was never approved and `whole` is not set.
    """
    row: Row | None = await connection.fetchrow(named("mechanism_list"), mechanism_id, whole)
    if row is None:
        raise MechanismUnknownError
    return row


async def locked(connection: Connection, mechanism_id: str) -> Row:
    """Read one mechanism, and keep others from changing or reviewing it; within a transaction.

    Raises:
        MechanismUnknownError: There is none.
    """
    await connection.execute(named("mechanism_lock"), mechanism_id)
    return await mechanism(connection, mechanism_id, whole=True)


async def draft(connection: Connection, new: Mechanism, act: Action) -> Row:
    """Draft a mechanism; within a transaction.

    Raises:
        MechanismExistsError: Its id is taken.
        MechanismUnfitError: Its zone is not there, or its limits go beyond the price control.
    """
    await _check_zone(connection, new)
    await check_limits(connection, new, act.at)
    added = await connection.fetchval(
        named("mechanism_add"), new.id, *_columns(new), act.person_id, act.at
    )
    if added is None:
        raise MechanismExistsError
    return await _recorded(connection, new.id, "mechanism.draft", None, act)


async def change(connection: Connection, mechanism_id: str, new: Mechanism, act: Action) -> Row:
    """Write one's own draft anew; within a transaction.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is no draft any more, or it would get another id.
        NotTheDrafterError: It is somebody else's.
        MechanismUnfitError: Its zone is not there, or its limits go beyond the price control.
    """
    before = await locked(connection, mechanism_id)
    _require(before, "draft")
    if before["drafted_by"] != act.person_id:
        raise NotTheDrafterError
    if new.id != mechanism_id:
        raise MechanismStateError(f"A mechanism keeps its id: it should be {mechanism_id}.")
    await _check_zone(connection, new)
    await check_limits(connection, new, act.at)
    await connection.execute(named("mechanism_change"), mechanism_id, *_columns(new), act.at)
    return await _recorded(connection, mechanism_id, "mechanism.change", before, act)


async def approve(connection: Connection, mechanism_id: str, act: Action) -> Row:
    """Approve a draft: it may be reviewed from then on; within a transaction.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is no draft any more.
        SamePersonError: It was drafted by whoever approves.
        MechanismUnfitError: It fits neither tariff nor price control.
        MechanismsOverlapError: Another moves one of its prices already.
    """
    # Neither tariff nor price control changes meanwhile.
    await lock(Transaction(connection), AdvisoryLock.TARIFFS)
    before = await locked(connection, mechanism_id)
    _require(before, "draft")
    if before["drafted_by"] == act.person_id:
        raise SamePersonError
    given = answers.mechanism_of(before)
    now = await standing(connection, given, act.at)
    await check_control(connection, given, now.tariff.currency, act.at)
    await connection.execute(named("mechanism_targets_add"), mechanism_id)
    if others := await connection.fetch(named("mechanism_targets_others"), mechanism_id):
        raise MechanismsOverlapError(others)
    await connection.execute(named("mechanism_approve"), mechanism_id, act.person_id, act.at)
    return await _recorded(connection, mechanism_id, "mechanism.approve", before, act)


async def set_mode(connection: Connection, mechanism_id: str, mode: str, act: Action) -> Row:
    """Freeze an approved mechanism, or let it go on; within a transaction.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is not approved, or in that mode already.
    """
    before = await locked(connection, mechanism_id)
    _require(before, "approved")
    if before["mode"] == mode:
        raise MechanismStateError(f"{mechanism_id} is {mode} already.")
    await connection.execute(named("mechanism_mode"), mechanism_id, mode)
    action = "mechanism.freeze" if mode == "frozen" else "mechanism.resume"
    return await _recorded(connection, mechanism_id, action, before, act)


async def retire(connection: Connection, mechanism_id: str, act: Action, *, may_end: bool) -> Row:
    """End a mechanism for good, or give a draft up; within a transaction. Prices stay.

    Args:
        connection: To the database.
        mechanism_id: Which.
        act: Who does it, when and why.
        may_end: Whether whoever asks may retire what is approved, or another's draft.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is retired already.
        NotTheDrafterError: `may_end` is not set, and it is not a draft of their own.
    """
    before = await locked(connection, mechanism_id)
    _require(before, "draft", "approved")
    own_draft = before["state"] == "draft" and before["drafted_by"] == act.person_id
    if not (may_end or own_draft):
        raise NotTheDrafterError("Drafters retire their own mechanisms, until they are approved.")
    await connection.execute(named("mechanism_targets_remove"), mechanism_id)
    await connection.execute(named("mechanism_retire"), mechanism_id, act.person_id, act.at)
    return await _recorded(connection, mechanism_id, "mechanism.retire", before, act)


def _require(row: Row, *states: str) -> None:
    if row["state"] not in states:
        raise MechanismStateError(
            f"{row['mechanism_id']} is {row['state']}, not {' or '.join(states)}."
        )


async def _check_zone(connection: Connection, new: Mechanism) -> None:
    if await zone_queries.published(Transaction(connection), new.zone_id) is None:
        fault = ParameterFault(
            parameter="mechanism.zone_id", message=f"there is no zone {new.zone_id}"
        )
        raise MechanismUnfitError([fault])


def _columns(new: Mechanism) -> tuple[object, ...]:
    definition: Json = answers.definition(new)
    return (
        json.dumps(definition, ensure_ascii=False),
        pricing.content_hash(definition),
        new.zone_id,
        sorted(set(new.lot_types)),
        new.mode,
    )


async def _recorded(
    connection: Connection, mechanism_id: str, action: str, before: Row | None, act: Action
) -> Row:
    after = await mechanism(connection, mechanism_id, whole=True)
    await record(
        connection,
        person_id=act.person_id,
        action=action,
        subject=f"mechanism/{mechanism_id}",
        before=before and answers.audited(answers.mechanism(before)),
        after=answers.audited(answers.mechanism(after)),
        reason=act.reason,
        at=act.at,
    )
    return after
