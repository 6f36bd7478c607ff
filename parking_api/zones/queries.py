"""What is asked of the database about zones, and done to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from parking_api.answers import Json, Row
from parking_api.audit import Action, Connection, record
from parking_api.importing.geometry import multipolygon_ewkb
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


async def publish(connection: Connection, zone_ids: Sequence[str], act: Action) -> list[Row]:
    """Put drafts in force from their `valid_from` on, all at once; within a transaction.

    Raises:
        ZoneDraftUnknownError: One is not there.
        SamePersonError: One was drafted by whoever publishes.
        ZoneStateError: One is published or withdrawn already.
        ZoneTimesError: One would begin in the past, or replace what is not there to be replaced.
        ZonesOverlapError: Two zones would overlap.
    """
    await lock(connection)
    published, changes = [], []
    # In one order, so that two that publish never wait for each other.
    for zone_id in sorted(set(zone_ids)):
        before = await draft(connection, zone_id)
        _check_publication(before, act)
        changes += [await _replace(connection, old, before) for old in before["replaces"]]
        await connection.execute(named("zone_publish"), zone_id)
        row = await _settle(connection, zone_id, "published", act)
        published.append(row)
        changes.append(("zone.publish", before, row))
    await check_overlaps(connection, [row["zone_id"] for row in published])
    await derive_lots(connection, act.at)
    for action, before, row in changes:
        await _record(connection, act, action, before, row)
    return published


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


async def end(connection: Connection, zone_id: str, valid_to: datetime, act: Action) -> Row:
    """Let a zone end; within a transaction.

    Raises:
        ZoneUnknownError: It is not there.
        ZoneTimesError: It would end in the past, or before it begins, or has ended before.
    """
    await lock(connection)
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
    return row


async def check(connection: Connection, zone_id: str) -> Json:
    """Tell what would come of publishing a draft."""
    row = await draft(connection, zone_id)
    overlaps = await connection.fetch(
        named("zone_draft_overlaps"),
        *(zone_id, row["replaces"], OVERLAP_TOLERANCE_M2, BORDER_WIDTH_M),
    )
    lots = await connection.fetchval(named("zone_draft_lots"), zone_id)
    return {"overlaps": [answers.overlap(found) for found in overlaps], "lots": lots}


async def check_overlaps(connection: Connection, zone_ids: Sequence[str]) -> None:
    """Hold zones against all others; within the transaction that wrote them, under `lock`.

    Raises:
        ZonesOverlapError: Two share more than `OVERLAP_TOLERANCE_M2` at the same time, strips
            along a border apart.
    """
    overlaps = await connection.fetch(
        named("zone_overlaps"), list(zone_ids), OVERLAP_TOLERANCE_M2, BORDER_WIDTH_M
    )
    if overlaps:
        raise ZonesOverlapError(overlaps)


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
        multipolygon_ewkb(body.polygon()),
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
