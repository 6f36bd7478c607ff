"""The review job: a recorded execution of a price mechanism, and the version drafted from one."""

import json
from collections.abc import Sequence

import pricing
from parking_api.audit import Action, Connection, record
from parking_api.mechanisms import answers
from parking_api.mechanisms.errors import (
    MechanismStateError,
    ReviewStateError,
    ReviewUnknownError,
)
from parking_api.mechanisms.history import read
from parking_api.mechanisms.service import locked
from parking_api.mechanisms.tariff import standing, target_of
from parking_api.models import Json, Row
from parking_api.tariffs import drafting
from parking_api.tariffs.models import NewVersion
from parking_api.tariffs.queries import Key
from pricing.mechanism import moved, review_tariff
from sql.named import named


async def review(
    connection: Connection, mechanism_id: str, calendar: pricing.Calendar, act: Action
) -> Row:
    """Review a mechanism's prices as of `act.at`, and record it; within a transaction.

    No money changes: that takes a tariff version, drafted from the review and approved.

    Raises:
        MechanismUnknownError: There is none.
        MechanismStateError: It is not approved.
        MechanismUnfitError: It does not fit the tariff that is in force now.
    """
    row = await locked(connection, mechanism_id)
    if row["state"] != "approved":
        raise MechanismStateError(f"{mechanism_id} is {row['state']}, not approved.")
    mechanism = answers.mechanism_of(row)
    now = await standing(connection, mechanism, act.at)
    seen = await read(connection, mechanism, now, calendar, act.at)
    proposals = review_tariff(mechanism, now.periods, now.states, seen.readings, act.at)
    number = await connection.fetchval(
        named("mechanism_review_add"),
        *(mechanism_id, act.at, act.person_id, _text(answers.definition(mechanism))),
        *(seen.start, seen.end, seen.lots, now.key.tariff_id, now.key.version),
        _text([answers.proposal(each) for each in proposals]),
    )
    return await _recorded(connection, mechanism_id, number, "mechanism.review", act)


async def draft_version(connection: Connection, mechanism_id: str, number: int, act: Action) -> Key:
    """Draft a tariff version with what a review proposes; within a transaction.

    Raises:
        MechanismUnknownError: There is no such mechanism.
        ReviewUnknownError: There is no such review.
        ReviewStateError: It is not the newest, or has been drafted from, or proposes no change, or
            prices have changed since, or the mechanism is frozen or retired.
        MechanismUnfitError: The mechanism does not fit the tariff any more.
    """
    row = await locked(connection, mechanism_id)
    found = await one_review(connection, mechanism_id, number)
    (newest,) = await reviews(connection, mechanism_id, limit=1)
    if (row["state"], row["mode"]) != ("approved", "on"):
        raise ReviewStateError(f"{mechanism_id} is {row['state']} and {row['mode']}.")
    if newest["number"] != number:
        raise ReviewStateError(f"Review {number} is not the newest: prices are held by that one.")
    if found["drafted_version"]:
        drafted = f"version {found['drafted_version']} of {found['tariff_id']}"
        raise ReviewStateError(f"From review {number}, {drafted} was drafted already.")
    mechanism = answers.mechanism_of(row)
    now = await standing(connection, mechanism, act.at)
    if now.key != Key(found["tariff_id"], found["version"]):
        raise ReviewStateError(f"Since review {number} another version has come into force.")
    changes = _changes(found)
    if not changes:
        raise ReviewStateError(f"Review {number} proposes no change.")
    document = moved(now.document, now.periods, changes)
    new = NewVersion(document=document, applies_to=target_of(mechanism), reason=act.reason or "")
    key = await drafting.draft_version(connection, now.key.tariff_id, new, act)
    await connection.execute(
        named("mechanism_review_drafted"),
        *(mechanism_id, number, key.version, act.person_id, act.at),
    )
    await _recorded(connection, mechanism_id, number, "mechanism.draft_version", act)
    return key


def _changes(row: Row) -> dict[tuple[str, str | None], int]:
    """By how much a review moves the price of each time band and season, where it does."""
    found = {
        (each["time_band"], each["season"]): each["after_minor"] - each["before_minor"]
        for each in json.loads(row["proposals_text"])
    }
    return {which: by for which, by in found.items() if by}


async def reviews(
    connection: Connection, mechanism_id: str, *, before: int | None = None, limit: int
) -> Sequence[Row]:
    """Read a mechanism's reviews, newest first."""
    return await connection.fetch(named("mechanism_review_list"), mechanism_id, None, before, limit)


async def one_review(connection: Connection, mechanism_id: str, number: int) -> Row:
    """Read one review.

    Raises:
        ReviewUnknownError: There is none.
    """
    row: Row | None = await connection.fetchrow(
        named("mechanism_review_list"), mechanism_id, number, None, 1
    )
    if row is None:
        raise ReviewUnknownError
    return row


async def _recorded(
    connection: Connection, mechanism_id: str, number: int, action: str, act: Action
) -> Row:
    row = await one_review(connection, mechanism_id, number)
    await record(
        connection,
        person_id=act.person_id,
        action=action,
        subject=f"mechanism/{mechanism_id}/{number}",
        before=None,
        after=_kept(row),
        reason=act.reason,
        at=act.at,
    )
    return row


def _kept(row: Row) -> Json:
    """What the audit keeps of a review: the moves; the record itself has the rest."""
    return {
        "tariff_id": row["tariff_id"],
        "version": row["version"],
        "drafted_version": row["drafted_version"],
        "proposals": json.loads(row["proposals_text"]),
    }


def _text(given: object) -> str:
    return json.dumps(given, ensure_ascii=False, allow_nan=False)
