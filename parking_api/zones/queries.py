"""Zone queries and commands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from parking_api.answers import Json, Row
from parking_api.audit import Action, Connection, record
from parking_api.quotes import coverage
from parking_api.quotes.coverage import Unpriced
from parking_api.zones import answers
from parking_api.zones.errors import (
    SamePersonError,
    ZoneDraftUnknownError,
    ZoneExistsError,
    ZonesOverlapError,
    ZoneStateError,
    ZoneTimesError,
    ZoneUnknownError,
)
from parking_api.zones.schemas import NewZone, ZoneBody
from sql.engine import AdvisoryLock
from sql.named import named

# Less than a bay of 2.5 m by 5 m.
OVERLAP_TOLERANCE_M2: Final = 10.0
# A border of many kilometres that two wrote down with seven decimals, a centimetre each.
BORDER_WIDTH_M: Final = 0.1


async def zones_at(connection: Connection, at: datetime) -> Sequence[Row]:
    """Read the zones in force at `at`, by `zone_id`."""
    return await connection.fetch(named("zone_list"), at, None)


async def zone_at(connection: Connection, zone_id: str, at: datetime) -> Row:
    """Read one zone.

    Raises:
        ZoneUnknownError: There is none of that id in force at `at`.
    """
    row: Row | None = await connection.fetchrow(named("zone_list"), at, zone_id)
    if row is None:
        raise ZoneUnknownError
    return row


async def drafts(connection: Connection) -> Sequence[Row]:
    """Read every draft that is neither published nor withdrawn."""
    return await connection.fetch(named("zone_draft_list"))


async def draft(connection: Connection, zone_id: str) -> Row:
    """Read one draft, and keep others from changing it until the transaction ends.

    Raises:
        ZoneDraftUnknownError: There is none of that id.
    """
    row: Row | None = await connection.fetchrow(named("zone_draft_one"), zone_id)
    if row is None:
        raise ZoneDraftUnknownError
    return row


async def add_draft(connection: Connection, new: NewZone, act: Action) -> Row:
    """Draft a zone; within a transaction.

    Raises:
        ZoneExistsError: Its id is taken.
    """
    row: Row | None = await connection.fetchrow(
        named("zone_draft_add"), new.zone_id, *_columns(new), act.person_id, act.at
    )
    if row is None:
        raise ZoneExistsError
    await _record(connection, act, "zone.draft", None, row)
    return row


async def change_draft(connection: Connection, zone_id: str, body: ZoneBody, act: Action) -> Row:
    """Draw a draft anew; within a transaction.

    Raises:
        ZoneDraftUnknownError: There is none.
        ZoneStateError: It is published or withdrawn, or somebody else's.
    """
    before = await draft(connection, zone_id)
    _require_draft(before)
    if before["drafted_by"] != act.person_id:
        raise ZoneStateError(f"It is the draft of {before['drafted_by']}, who alone may change it.")
    row: Row | None = await connection.fetchrow(
        named("zone_draft_change"), zone_id, *_columns(body), act.at
    )
    assert row is not None  # noqa: S101 - locked above
    await _record(connection, act, "zone.change", before, row)
    return row


async def withdraw_draft(connection: Connection, zone_id: str, act: Action) -> Row:
    """Give a draft up; within a transaction."""
    before = await draft(connection, zone_id)
    _require_draft(before)
    row = await _settle(connection, zone_id, "withdrawn", None)
    await _record(connection, act, "zone.withdraw", before, row)
    return row


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
    await lock(connection)
    before_it = await coverage.read(connection)
    published, changes = [], []
    # In one order, so that two that publish never wait for each other.
    for zone_id in sorted(set(zone_ids)):
        before = await draft(connection, zone_id)
        _check_publication(before, act)
        changes += [await _replace(connection, old, before) for old in before["replaces"]]
        await _put_in_force(connection, zone_id)
        row = await _settle(connection, zone_id, "published", act)
        published.append(row)
        changes.append(("zone.publish", before, row))
    await check_overlaps(connection, [row["zone_id"] for row in published])
    await derive_lots(connection, act.at)
    for action, before, row in changes:
        await _record(connection, act, action, before, row)
    unpriced = await coverage.require_prices(
        connection, before_it, f"zone/{zone_ids[0]}", act, allowed=leaves_unpriced
    )
    return published, unpriced


async def _put_in_force(connection: Connection, zone_id: str) -> None:
    if await connection.fetchval(named("zone_publish"), zone_id) is None:
        raise ZoneExistsError


def _check_publication(row: Row, act: Action) -> None:
    _require_draft(row)
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
    await lock(connection)
    before_it = await coverage.read(connection)
    before: Row | None = await connection.fetchrow(named("zone_any"), zone_id)
    if before is None:
        raise ZoneUnknownError("There is no such zone.")
    if valid_to < act.at:
        raise ZoneTimesError("A zone ends now or later, not in the past.")
    row: Row | None = await connection.fetchrow(named("zone_end"), zone_id, valid_to)
    if row is None:
        raise ZoneTimesError("A zone ends after it begins, and no later than was said before.")
    await derive_lots(connection, act.at)
    await _record(connection, act, "zone.end", before, row)
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
    await lock(connection)
    before = await coverage.read(connection)
    lots = await connection.fetchval(named("zone_draft_lots"), zone_ids[0])
    tried = connection.transaction()
    await tried.start()
    try:
        for zone_id in sorted(set(zone_ids)):
            row = await draft(connection, zone_id)
            _require_draft(row)
            for old in row["replaces"]:
                await connection.fetchrow(named("zone_end"), old, row["valid_from"])
            await _put_in_force(connection, zone_id)
        overlaps = await _overlaps(connection, zone_ids)
        after = await coverage.read(connection)
    finally:
        await tried.rollback()
    return {
        "overlaps": [answers.overlap(found) for found in overlaps],
        "lots": lots,
        "unpriced": coverage.answer(coverage.newly_unpriced(before, after, at)),
    }


async def check_overlaps(connection: Connection, zone_ids: Sequence[str]) -> None:
    """Hold zones against all others; within the transaction that wrote them, under `lock`.

    Raises:
        ZonesOverlapError: Two share more than `OVERLAP_TOLERANCE_M2` at the same time, strips
            along a border apart.
    """
    if overlaps := await _overlaps(connection, zone_ids):
        raise ZonesOverlapError(overlaps)


async def _overlaps(connection: Connection, zone_ids: Sequence[str]) -> Sequence[Row]:
    return await connection.fetch(
        named("zone_overlaps"), list(zone_ids), OVERLAP_TOLERANCE_M2, BORDER_WIDTH_M
    )


async def lock(connection: Connection) -> None:
    """Wait until nobody else publishes, and keep others waiting until the transaction ends."""
    await connection.execute(named("tariff_lock"), AdvisoryLock.TARIFFS)


async def derive_lots(connection: Connection, at: datetime) -> None:
    """Give every lot the zone that contains it at `at`."""
    await connection.execute(named("import_lot_zones"), at)


def _require_draft(row: Row) -> None:
    if row["state"] != "draft":
        raise ZoneStateError(f"{row['zone_id']} is {row['state']} already.")


async def _settle(connection: Connection, zone_id: str, state: str, act: Action | None) -> Row:
    who = (act.person_id, act.at) if act else (None, None)
    row: Row | None = await connection.fetchrow(named("zone_draft_settle"), zone_id, state, *who)
    assert row is not None  # noqa: S101 - locked before
    return row


def _columns(body: ZoneBody) -> tuple[Any, ...]:
    return (
        body.name.zh,
        body.name.en,
        body.zone_class,
        body.valid_from,
        body.valid_to,
        list(dict.fromkeys(body.replaces)),
        body.geometry.ewkb,
    )


async def _record(
    connection: Connection, act: Action, action: str, before: Row | None, after: Row
) -> None:
    await record(
        connection,
        person_id=act.person_id,
        action=action,
        subject=f"zone/{after['zone_id']}",
        before=answers.audited(before),
        after=answers.audited(after),
        reason=act.reason,
        at=act.at,
    )
