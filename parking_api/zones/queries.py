"""Zone queries and commands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from parking_api.audit import Action, Connection, record
from parking_api.models import Row
from parking_api.zones import answers
from parking_api.zones.errors import (
    ZoneDraftUnknownError,
    ZoneExistsError,
    ZonesOverlapError,
    ZoneStateError,
    ZoneUnknownError,
)
from parking_api.zones.models import NewZone, ZoneBody
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
    await record_change(connection, act, "zone.draft", None, row)
    return row


async def change_draft(connection: Connection, zone_id: str, body: ZoneBody, act: Action) -> Row:
    """Draw a draft anew; within a transaction.

    Raises:
        ZoneDraftUnknownError: There is none.
        ZoneStateError: It is published or withdrawn, or somebody else's.
    """
    before = await draft(connection, zone_id)
    require_draft(before)
    if before["drafted_by"] != act.person_id:
        raise ZoneStateError(f"It is the draft of {before['drafted_by']}, who alone may change it.")
    row: Row | None = await connection.fetchrow(
        named("zone_draft_change"), zone_id, *_columns(body), act.at
    )
    assert row is not None  # noqa: S101 - locked above
    await record_change(connection, act, "zone.change", before, row)
    return row


async def withdraw_draft(connection: Connection, zone_id: str, act: Action) -> Row:
    """Give a draft up; within a transaction."""
    before = await draft(connection, zone_id)
    require_draft(before)
    row = await settle(connection, zone_id, "withdrawn", None)
    await record_change(connection, act, "zone.withdraw", before, row)
    return row


async def check_overlaps(connection: Connection, zone_ids: Sequence[str]) -> None:
    """Hold zones against all others; within the transaction that wrote them, under `lock`.

    Raises:
        ZonesOverlapError: Two share more than `OVERLAP_TOLERANCE_M2` at the same time, strips
            along a border apart.
    """
    if found := await overlaps(connection, zone_ids):
        raise ZonesOverlapError(found)


async def overlaps(connection: Connection, zone_ids: Sequence[str]) -> Sequence[Row]:
    """List the pairs of zones that `check_overlaps` refuses."""
    return await connection.fetch(
        named("zone_overlaps"), list(zone_ids), OVERLAP_TOLERANCE_M2, BORDER_WIDTH_M
    )


async def lock(connection: Connection) -> None:
    """Wait until nobody else publishes, and keep others waiting until the transaction ends."""
    await connection.execute(named("tariff_lock"), AdvisoryLock.TARIFFS)


async def derive_lots(connection: Connection, at: datetime) -> None:
    """Give every lot the zone that contains it at `at`."""
    await connection.execute(named("import_lot_zones"), at)


def require_draft(row: Row) -> None:
    """Refuse what is published or withdrawn already."""
    if row["state"] != "draft":
        raise ZoneStateError(f"{row['zone_id']} is {row['state']} already.")


async def settle(connection: Connection, zone_id: str, state: str, act: Action | None) -> Row:
    """Say what became of a draft that is locked; `act` where it was published."""
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


async def record_change(
    connection: Connection, act: Action, action: str, before: Row | None, after: Row
) -> None:
    """Record what was done to a zone or its draft."""
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
