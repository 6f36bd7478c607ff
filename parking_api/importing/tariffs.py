"""tariffs.json: what a city charges already, read, checked and put into the database.

{"calendar": {"holidays": [dates], "makeup_workdays": [dates]},
 "price_controls": [as POST /v1/price-controls takes them, without `reason`],
 "tariffs": [{"document": tariff, "applies_to": {"zones", "lot_types"} or {"lots"},
              "effective_from": RFC 3339}]}

Its tariffs were published before they came in, by nobody here.
"""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import asyncpg
from pydantic import Field, ValidationError

import pricing
from parking_api.calendar import queries as calendar_queries
from parking_api.calendar.service import CalendarYear
from parking_api.importing import queries
from parking_api.importing.faults import Faults, shown
from parking_api.importing.features import read_json
from parking_api.importing.reading import Register
from parking_api.importing.rows import Instant, LotRow, ZoneRow
from parking_api.importing.texts import Encoding
from parking_api.models import Body, Reason
from parking_api.price_controls import queries as control_queries
from parking_api.price_controls import service as price_controls
from parking_api.price_controls.models import NewControl
from parking_api.quotes.errors import TariffInvalidError
from parking_api.tariffs import queries as tariff_queries
from parking_api.tariffs.documents import checked, columns
from parking_api.tariffs.models import AppliesTo
from parking_api.workflow import Act
from sql.engine import AdvisoryLock, Transaction, lock, transaction

TARIFFS: Final = "tariffs.json"
IMPORTER: Final = "import"


class GivenTariff(Body):
    """A tariff that is in force already."""

    document: dict[str, Any]
    applies_to: AppliesTo
    effective_from: Instant


class GivenControl(NewControl):
    """A price control; nobody has to say why it is there."""

    reason: Reason = "导入"


class GivenTariffs(Body):
    """The file."""

    calendar: pricing.Calendar = pricing.Calendar()
    price_controls: tuple[GivenControl, ...] = ()
    tariffs: Annotated[tuple[GivenTariff, ...], Field(max_length=10_000)] = ()


def read_tariffs(
    path: Path,
    zones: Register[ZoneRow],
    lots: Register[LotRow],
    faults: Faults,
    encoding: Encoding = "utf-8",
) -> GivenTariffs:
    """Read the file, if it is there; a city may come without.

    Args:
        path: `tariffs.json`.
        zones: What tariffs may apply to.
        lots: The same.
        faults: Where faults go, each with its path in the file.
        encoding: What the file is in if it is not UTF-8.
    """
    if not path.exists():
        return GivenTariffs()
    document = read_json(path, faults, encoding)
    if not isinstance(document, dict):
        faults.add(path.name, None, None, "is not a JSON object")
        return GivenTariffs()
    try:
        given = GivenTariffs.model_validate(document)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False):
            faults.add(path.name, None, _path(fault["loc"]), fault["msg"])
        return GivenTariffs()
    seen: set[str] = set()
    for place, tariff in enumerate(given.tariffs):
        _check(f"tariffs[{place}]", tariff, {"zones": zones, "lots": lots}, faults)
        tariff_id = str(tariff.document.get("id"))
        if tariff_id in seen:
            message = f"{shown(tariff_id)} was there already"
            faults.add(path.name, None, f"tariffs[{place}].document.id", message)
        seen.add(tariff_id)
    return given


def _check(
    where: str, tariff: GivenTariff, known: Mapping[str, Register[Any]], faults: Faults
) -> None:
    try:
        checked(tariff.document)
    except TariffInvalidError as error:
        for fault in error.faults:
            faults.add(TARIFFS, None, f"{where}.{fault.parameter}", fault.message)
    for kind, register in known.items():
        for key in getattr(tariff.applies_to, kind):
            if not register.may_have(key):
                message = f"there is no {kind.removesuffix('s')} {shown(key)}"
                faults.add(TARIFFS, None, f"{where}.applies_to.{kind}", message)


def _path(location: tuple[int | str, ...]) -> str:
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(parts).removeprefix(".")


async def load_tariffs(db: Transaction, given: GivenTariffs, at: datetime) -> tuple[int, int, int]:
    """Add the tariffs that are not there; one that is there is the bureau's, and stays.

    Returns:
        How many were given, added and changed, which is none.

    Raises:
        ImportFaultsError: One would price what another prices at the same time.
    """
    act = Act(db, IMPORTER, at)
    await lock(db, AdvisoryLock.TARIFFS)
    await _load_calendar(act, given.calendar)
    for control in given.price_controls:
        await _load_control(act, control)
    faults = Faults()
    added = 0
    for place, tariff in enumerate(given.tariffs):
        added += await _load_tariff(act, place, tariff, faults)
        faults.raise_if_any()
    await act.record()
    return len(given.tariffs), added, 0


async def _load_calendar(act: Act, calendar: pricing.Calendar) -> None:
    holidays, makeup_workdays = (
        sorted(map(date.fromisoformat, days))
        for days in (calendar.holidays, calendar.makeup_workdays)
    )
    for year in sorted({day.year for day in (*holidays, *makeup_workdays)}):
        days = ([day for day in each if day.year == year] for each in (holidays, makeup_workdays))
        added = await calendar_queries.add_year(
            act.db,
            year=year,
            holidays=next(days),
            makeup_workdays=next(days),
            by=IMPORTER,
            at=act.at,
        )
        if added:
            published = CalendarYear(year, added)
            act.keep("calendar.import", published.subject, None, published.audited)


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
