"""What a city charges already, into the database: published before it came in, by nobody here."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import asyncpg

import pricing
from parking_api.audit import record
from parking_api.calendar import queries as calendar_queries
from parking_api.command_line import Connection
from parking_api.importing import queries
from parking_api.importing.faults import Faults
from parking_api.importing.tariffs import TARIFFS, GivenTariff, GivenTariffs
from parking_api.price_controls import queries as control_queries
from parking_api.price_controls import service as price_controls
from parking_api.price_controls.models import NewControl
from parking_api.tariffs import queries as tariff_queries
from parking_api.tariffs.documents import columns
from parking_api.zones.errors import ZonesOverlapError
from parking_api.zones.service import check_overlaps
from sql.engine import AdvisoryLock, Transaction, lock, transaction

IMPORTER: Final = "import"
ZONES: Final = "zones.geojson"


async def check_zones(connection: Connection, zone_ids: Sequence[str]) -> None:
    """Hold the zones that were written against all others; within the transaction.

    Raises:
        ImportFaultsError: Two that are in force at the same time share ground.
    """
    try:
        await check_overlaps(Transaction(connection), zone_ids)
    except ZonesOverlapError as error:
        faults = Faults()
        for fault in error.faults:
            faults.add(ZONES, None, None, fault.message)
        faults.raise_if_any()


async def load_tariffs(
    connection: Connection, given: GivenTariffs, at: datetime
) -> tuple[int, int, int]:
    """Add the tariffs that are not there; one that is there is the bureau's, and stays.

    Returns:
        How many were given, added and changed, which is none.

    Raises:
        ImportFaultsError: One would price what another prices at the same time.
    """
    await lock(Transaction(connection), AdvisoryLock.TARIFFS)
    await _load_calendar(connection, given.calendar, at)
    for control in given.price_controls:
        await _load_control(connection, control, at)
    faults = Faults()
    added = 0
    for place, tariff in enumerate(given.tariffs):
        added += await _load_tariff(connection, place, tariff, at, faults)
        faults.raise_if_any()
    return len(given.tariffs), added, 0


async def _load_calendar(connection: Connection, calendar: pricing.Calendar, at: datetime) -> None:
    holidays, makeup_workdays = (
        sorted(map(date.fromisoformat, days))
        for days in (calendar.holidays, calendar.makeup_workdays)
    )
    for year in sorted({day.year for day in (*holidays, *makeup_workdays)}):
        days = ([day for day in each if day.year == year] for each in (holidays, makeup_workdays))
        await calendar_queries.add_year(
            Transaction(connection),
            year=year,
            holidays=next(days),
            makeup_workdays=next(days),
            by=IMPORTER,
            at=at,
        )


async def _load_control(connection: Connection, new: NewControl, at: datetime) -> None:
    db = Transaction(connection)
    if added := await price_controls.add(db, new, IMPORTER, at):
        control_id = added.price_control_id
        await control_queries.settle(
            db, control_id, approved_by=None, approved_at=at, valid_to=added.valid_to
        )
        await _record(connection, "price_control.import", f"price_control/{control_id}", None, at)


async def _load_tariff(
    connection: Connection, place: int, given: GivenTariff, at: datetime, faults: Faults
) -> bool:
    tariff_id = given.document["id"]
    if not await tariff_queries.add_tariff(Transaction(connection), tariff_id, IMPORTER, at):
        return False
    stored = columns(given.document, given.applies_to)
    await queries.add_version(
        Transaction(connection), tariff_id=tariff_id, **stored, by=IMPORTER, at=at
    )
    try:
        async with transaction(connection) as db:
            await tariff_queries.add_effects(
                db,
                tariff_id=tariff_id,
                version=1,
                zones=stored["zones"],
                lot_types=stored["lot_types"],
                lots=stored["lots"],
                starts_at=given.effective_from,
                ends_at=None,
            )
    except asyncpg.ExclusionViolationError:
        message = "another tariff prices one of them at the same time"
        faults.add(TARIFFS, None, f"tariffs[{place}].applies_to", message)
        return False
    await _record(connection, "tariff.import", f"tariff/{tariff_id}/1", stored["content_hash"], at)
    return True


async def _record(
    connection: Connection, action: str, subject: str, digest: str | None, at: datetime
) -> None:
    await record(
        connection,
        person_id=IMPORTER,
        action=action,
        subject=subject,
        before=None,
        after=digest and {"hash": digest},
        reason=None,
        at=at,
    )
