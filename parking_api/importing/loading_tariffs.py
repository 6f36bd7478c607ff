"""What a city charges already, into the database: published before it came in, by nobody here."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import asyncpg

import pricing
from parking_api.calendar import queries as calendar_queries
from parking_api.importing import queries
from parking_api.importing.faults import Faults
from parking_api.importing.tariffs import TARIFFS, GivenTariff, GivenTariffs
from parking_api.price_controls import queries as control_queries
from parking_api.price_controls import service as price_controls
from parking_api.price_controls.models import NewControl
from parking_api.tariffs import queries as tariff_queries
from parking_api.tariffs.documents import columns
from parking_api.workflow import Act
from parking_api.zones.errors import ZonesOverlapError
from parking_api.zones.service import check_overlaps
from sql.engine import AdvisoryLock, Transaction, lock, transaction

IMPORTER: Final = "import"
ZONES: Final = "zones.geojson"


async def check_zones(db: Transaction, zone_ids: Sequence[str]) -> None:
    """Hold the zones that were written against all others.

    Raises:
        ImportFaultsError: Two that are in force at the same time share ground.
    """
    try:
        await check_overlaps(db, zone_ids)
    except ZonesOverlapError as error:
        faults = Faults()
        for fault in error.faults:
            faults.add(ZONES, None, None, fault.message)
        faults.raise_if_any()


async def load_tariffs(db: Transaction, given: GivenTariffs, at: datetime) -> tuple[int, int, int]:
    """Add the tariffs that are not there; one that is there is the bureau's, and stays.

    Returns:
        How many were given, added and changed, which is none.

    Raises:
        ImportFaultsError: One would price what another prices at the same time.
    """
    act = Act(db, IMPORTER, at)
    await lock(db, AdvisoryLock.TARIFFS)
    await _load_calendar(db, given.calendar, at)
    for control in given.price_controls:
        await _load_control(act, control)
    faults = Faults()
    added = 0
    for place, tariff in enumerate(given.tariffs):
        added += await _load_tariff(act, place, tariff, faults)
        faults.raise_if_any()
    await act.record()
    return len(given.tariffs), added, 0


async def _load_calendar(db: Transaction, calendar: pricing.Calendar, at: datetime) -> None:
    holidays, makeup_workdays = (
        sorted(map(date.fromisoformat, days))
        for days in (calendar.holidays, calendar.makeup_workdays)
    )
    for year in sorted({day.year for day in (*holidays, *makeup_workdays)}):
        days = ([day for day in each if day.year == year] for each in (holidays, makeup_workdays))
        await calendar_queries.add_year(
            db,
            year=year,
            holidays=next(days),
            makeup_workdays=next(days),
            by=IMPORTER,
            at=at,
        )


async def _load_control(act: Act, new: NewControl) -> None:
    if added := await price_controls.add(act.db, new, IMPORTER, act.at):
        control_id = added.price_control_id
        await control_queries.settle(
            act.db, control_id, approved_by=None, approved_at=act.at, valid_to=added.valid_to
        )
        act.keep("price_control.import", f"price_control/{control_id}", None, None)


async def _load_tariff(act: Act, place: int, given: GivenTariff, faults: Faults) -> bool:
    tariff_id = given.document["id"]
    if not await tariff_queries.add_tariff(act.db, tariff_id, IMPORTER, act.at):
        return False
    stored = columns(given.document, given.applies_to)
    await queries.add_version(act.db, tariff_id=tariff_id, **stored, by=IMPORTER, at=act.at)
    try:
        async with transaction(act.db) as db:
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
    act.keep("tariff.import", f"tariff/{tariff_id}/1", None, {"hash": stored["content_hash"]})
    return True
