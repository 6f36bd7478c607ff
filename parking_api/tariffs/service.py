"""Versions from submission on: approved by another than the drafter, never two at one time."""

from datetime import datetime

import asyncpg

from parking_api.audit import Action, Connection
from parking_api.price_controls import service as price_controls
from parking_api.quotes import coverage
from parking_api.quotes.models import UnpricedLots
from parking_api.tariffs import queries
from parking_api.tariffs.drafting import locked, require_own_draft
from parking_api.tariffs.errors import (
    EffectiveTimesError,
    EffectsOverlapError,
    VersionStateError,
)
from parking_api.tariffs.models import Submission
from parking_api.tariffs.queries import Key
from parking_api.tariffs.recording import recorded
from parking_api.workflow import NotTheDrafterError, SamePersonError
from sql.engine import AdvisoryLock, Transaction, lock
from sql.named import named


async def submit(
    connection: Connection, key: Key, times: Submission, act: Action
) -> tuple[list[str], UnpricedLots]:
    """Hand one's own draft in for review: from here on it is immutable; within a transaction.

    What time can mend until it is published is told, not refused.

    Args:
        connection: To the database.
        key: The version.
        times: When it is meant to be in force.
        act: Who does it, when and why.

    Returns:
        What stands in the way of publishing it then, as things are; and the lots that would lose
        their price by it.

    Raises:
        TariffUnknownError: There is no such version.
        NotTheDrafterError: It is somebody else's.
        VersionStateError: It is no draft any more.
        EffectiveTimesError: It would end before it begins.
        PriceControlError: It goes beyond the price control of that time.
    """
    start, end = max(times.effective_from or act.at, act.at), times.effective_to
    if end is not None and end <= start:
        raise EffectiveTimesError
    await lock(Transaction(connection), AdvisoryLock.TARIFFS)
    await require_own_draft(connection, key, act)
    whole = await queries.version(connection, key, act.at, whole=True)
    target = queries.target_of(whole)
    await price_controls.check(connection, queries.tariff_of(whole), target, start, end)
    async with recorded(connection, key, "tariff.submit", act):
        await connection.execute(
            named("tariff_version_submit"), key.tariff_id, key.version, act.person_id, act.at
        )
    return await _foreseen(connection, key, start, end, act.at)


async def _foreseen(
    connection: Connection, key: Key, start: datetime, end: datetime | None, at: datetime
) -> tuple[list[str], UnpricedLots]:
    """Publish and undo it, so that nothing is foreseen in another way than it comes."""
    before = await coverage.read(connection)
    tried = connection.transaction()
    await tried.start()
    try:
        await _take_over(connection, key, start, end)
        after = await coverage.read(connection)
        return [], coverage.answer(coverage.newly_unpriced(before, after, at))
    except EffectsOverlapError as error:
        return [fault.message for fault in error.faults], coverage.answer([])
    except VersionStateError as error:
        return [error.detail], coverage.answer([])
    finally:
        await tried.rollback()


async def approve(connection: Connection, key: Key, act: Action) -> None:
    """Approve what is in review; within a transaction. Of two who approve at once, one wins.

    Raises:
        TariffUnknownError: There is no such version.
        VersionStateError: It is not in review, or not any more.
        SamePersonError: It was drafted or submitted by whoever approves.
    """
    row = await locked(connection, key)
    if row["state"] != "in_review":
        raise VersionStateError(
            f"Version {key.version} of {key.tariff_id} is {row['state']}, not in review."
        )
    if act.person_id in (row["drafted_by"], row["submitted_by"]):
        raise SamePersonError
    async with recorded(connection, key, "tariff.approve", act):
        await connection.execute(
            named("tariff_version_approve"), key.tariff_id, key.version, act.person_id, act.at
        )


async def publish(
    connection: Connection,
    key: Key,
    start: datetime,
    end: datetime | None,
    act: Action,
    *,
    leaves_unpriced: bool,
) -> UnpricedLots:
    """Have an approved version price what it applies to; within a transaction.

    The tariff's version before ends then. What another tariff prices stays with it.

    Args:
        connection: To the database.
        key: The version.
        start: When it comes into force: now or later.
        end: Exclusive; None for no end.
        act: Who does it, when and why.
        leaves_unpriced: Whether lots may lose their price by it: where it ends, or prices less
            than the version before.

    Returns:
        The lots that lose their price.

    Raises:
        TariffUnknownError: There is no such version.
        EffectiveTimesError: `start` lies in the past, or `end` not after it.
        VersionStateError: It is not approved, or published already.
        PriceControlError: It goes beyond the price control.
        EffectsOverlapError: Another version prices the same then.
        LeavesUnpricedError: Lots would lose their price, and `leaves_unpriced` is not set.
    """
    if start < act.at or (end is not None and end <= start):
        raise EffectiveTimesError
    await lock(Transaction(connection), AdvisoryLock.TARIFFS)
    row = await locked(connection, key)
    if row["state"] != "approved":
        raise VersionStateError(
            f"Version {key.version} of {key.tariff_id} is {row['state']}, not approved."
        )
    whole = await queries.version(connection, key, act.at, whole=True)
    target = queries.target_of(whole)
    await price_controls.check(connection, queries.tariff_of(whole), target, start, end)
    before = await coverage.read(connection)
    async with recorded(connection, key, "tariff.publish", act):
        await _take_over(connection, key, start, end)
        await connection.execute(
            named("tariff_version_publish"), key.tariff_id, key.version, act.person_id, act.at
        )
    return await coverage.require_prices_of(
        connection, before, key.subject, act, allowed=leaves_unpriced
    )


async def _take_over(
    connection: Connection, key: Key, start: datetime, end: datetime | None
) -> None:
    if later := await connection.fetch(named("tariff_effects_later"), key.tariff_id, start):
        numbers = ", ".join(str(row["version"]) for row in later)
        raise VersionStateError(
            f"Version {numbers} of {key.tariff_id} comes into force then or later: withdraw it "
            "first."
        )
    await connection.execute(named("tariff_effects_cut"), key.tariff_id, start, None)
    target = await connection.fetchrow(named("tariff_version_target"), key.tariff_id, key.version)
    assert target is not None  # noqa: S101 - locked before
    others = await connection.fetch(named("tariff_effects_others"), *target, start, end)
    if others:
        raise EffectsOverlapError(others)
    try:
        await connection.execute(
            named("tariff_effects_add"), key.tariff_id, key.version, start, end
        )
    except asyncpg.ExclusionViolationError as error:
        # Only somebody who does not take the lock can come in between.
        raise EffectsOverlapError from error


async def withdraw(
    connection: Connection, key: Key, act: Action, *, may_end: bool, leaves_unpriced: bool
) -> UnpricedLots:
    """Withdraw a version; within a transaction.

    One that was never published is given up. One that is scheduled never comes into force, and
    the version before goes on. One in force ends now, and nothing of the tariff follows it.

    Args:
        connection: To the database.
        key: The version.
        act: Who does it, when and why.
        may_end: Whether whoever asks may withdraw what is published.
        leaves_unpriced: Whether lots may lose their price by it.

    Returns:
        The lots that lose their price.

    Raises:
        TariffUnknownError: There is no such version.
        NotTheDrafterError: It is published, and `may_end` is not set; or somebody else's draft.
        VersionStateError: It is superseded or withdrawn already.
        LeavesUnpricedError: Lots would lose their price, and `leaves_unpriced` is not set.
    """
    await lock(Transaction(connection), AdvisoryLock.TARIFFS)
    row = await locked(connection, key)
    whole = await queries.version(connection, key, act.at, whole=True)
    if whole["state"] in ("superseded", "withdrawn"):
        raise VersionStateError(
            f"Version {key.version} of {key.tariff_id} is {whole['state']} already."
        )
    if not may_end and (row["published_by"] or row["drafted_by"] != act.person_id):
        raise NotTheDrafterError("Drafters withdraw their own versions, until they are published.")
    before = await coverage.read(connection)
    async with recorded(connection, key, "tariff.withdraw", act):
        await connection.execute(
            named("tariff_version_withdraw"), key.tariff_id, key.version, act.person_id, act.at
        )
        gone = await connection.fetchval(
            named("tariff_effects_remove"), key.tariff_id, key.version, act.at
        )
        if gone:
            await connection.execute(named("tariff_effects_restore"), key.tariff_id, gone)
        await connection.execute(named("tariff_effects_cut"), key.tariff_id, act.at, key.version)
    return await coverage.require_prices_of(
        connection, before, key.subject, act, allowed=leaves_unpriced
    )
