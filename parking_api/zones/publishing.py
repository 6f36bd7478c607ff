"""Zones put in force and ended: never two over one place, and no lot losing its price unsaid."""

from collections.abc import Sequence
from datetime import datetime

from parking_api.audit import Action, Connection
from parking_api.models import Json, Row
from parking_api.quotes import coverage
from parking_api.quotes.coverage import Unpriced
from parking_api.workflow import SamePersonError
from parking_api.zones import answers, queries
from parking_api.zones.errors import (
    ZoneExistsError,
    ZoneTimesError,
    ZoneUnknownError,
)
from sql.named import named


async def publish(
    connection: Connection, zone_ids: Sequence[str], act: Action, *, leaves_unpriced: bool
) -> tuple[list[Row], list[Unpriced]]:
    """Put drafts in force from their `valid_from` on, all at once; within a transaction.

    Args:
        connection: To the database.
        zone_ids: The drafts.
        act: Who does it, when and why.
        leaves_unpriced: Whether lots may lose their price by it.

    Returns:
        The drafts, published, and the lots that lose their price.

    Raises:
        ZoneDraftUnknownError: One is not there.
        SamePersonError: One was drafted by whoever publishes.
        ZoneStateError: One is published or withdrawn already.
        ZoneTimesError: One would begin in the past, or replace what is not there to be replaced.
        ZoneExistsError: There is a zone of that id, which came in by import.
        ZonesOverlapError: Two zones would overlap.
        LeavesUnpricedError: Lots would lose their price, and `leaves_unpriced` is not set.
    """
    await queries.lock(connection)
    before_it = await coverage.read(connection)
    published, changes = [], []
    # In one order, so that two that publish never wait for each other.
    for zone_id in sorted(set(zone_ids)):
        before = await queries.draft(connection, zone_id)
        _check_publication(before, act)
        changes += [await _replace(connection, old, before) for old in before["replaces"]]
        await _put_in_force(connection, zone_id)
        row = await queries.settle(connection, zone_id, "published", act)
        published.append(row)
        changes.append(("zone.publish", before, row))
    await queries.check_overlaps(connection, [row["zone_id"] for row in published])
    await queries.derive_lots(connection, act.at)
    for action, before, row in changes:
        await queries.record_change(connection, act, action, before, row)
    unpriced = await coverage.require_prices(
        connection, before_it, f"zone/{zone_ids[0]}", act, allowed=leaves_unpriced
    )
    return published, unpriced


async def _put_in_force(connection: Connection, zone_id: str) -> None:
    if await connection.fetchval(named("zone_publish"), zone_id) is None:
        raise ZoneExistsError


def _check_publication(row: Row, act: Action) -> None:
    queries.require_draft(row)
    if row["drafted_by"] == act.person_id:
        raise SamePersonError
    if row["valid_from"] < act.at:
        raise ZoneTimesError(
            f"{row['zone_id']} would begin in the past: draft it for a time ahead."
        )


async def _replace(connection: Connection, old: str, new: Row) -> tuple[str, Row, Row]:
    before: Row | None = await connection.fetchrow(named("zone_any"), old)
    row: Row | None = await connection.fetchrow(named("zone_end"), old, new["valid_from"])
    if before is None or row is None:
        raise ZoneTimesError(
            f"{new['zone_id']} replaces {old}, which is not in force when it begins."
        )
    return "zone.end", before, row


async def end(
    connection: Connection,
    zone_id: str,
    valid_to: datetime,
    act: Action,
    *,
    leaves_unpriced: bool,
) -> tuple[Row, list[Unpriced]]:
    """Let a zone end; within a transaction.

    Returns:
        The zone, and the lots that lose their price.

    Raises:
        ZoneUnknownError: It is not there.
        ZoneTimesError: It would end in the past, or before it begins, or has ended before.
        LeavesUnpricedError: Lots would lose their price, and `leaves_unpriced` is not set.
    """
    await queries.lock(connection)
    before_it = await coverage.read(connection)
    before: Row | None = await connection.fetchrow(named("zone_any"), zone_id)
    if before is None:
        raise ZoneUnknownError("There is no such zone.")
    if valid_to < act.at:
        raise ZoneTimesError("A zone ends now or later, not in the past.")
    row: Row | None = await connection.fetchrow(named("zone_end"), zone_id, valid_to)
    if row is None:
        raise ZoneTimesError("A zone ends after it begins, and no later than was said before.")
    await queries.derive_lots(connection, act.at)
    await queries.record_change(connection, act, "zone.end", before, row)
    unpriced = await coverage.require_prices(
        connection, before_it, f"zone/{zone_id}", act, allowed=leaves_unpriced
    )
    return row, unpriced


async def check(connection: Connection, zone_ids: Sequence[str], at: datetime) -> Json:
    """Tell what would come of publishing drafts at `at`; within a transaction.

    It is done and undone, so that nothing is foreseen in another way than it comes.

    Args:
        connection: To the database.
        zone_ids: The draft, and those that would be published with it.
        at: Now.

    Raises:
        ZoneDraftUnknownError: One is not there.
        ZoneStateError: One is published or withdrawn already.
        ZoneExistsError: There is a zone of that id, which came in by import.
    """
    await queries.lock(connection)
    before = await coverage.read(connection)
    lots = await connection.fetchval(named("zone_draft_lots"), zone_ids[0])
    tried = connection.transaction()
    await tried.start()
    try:
        for zone_id in sorted(set(zone_ids)):
            row = await queries.draft(connection, zone_id)
            queries.require_draft(row)
            for old in row["replaces"]:
                await connection.fetchrow(named("zone_end"), old, row["valid_from"])
            await _put_in_force(connection, zone_id)
        overlaps = await queries.overlaps(connection, zone_ids)
        after = await coverage.read(connection)
    finally:
        await tried.rollback()
    return {
        "overlaps": [answers.overlap(found) for found in overlaps],
        "lots": lots,
        "unpriced": coverage.answer(coverage.newly_unpriced(before, after, at)),
    }
