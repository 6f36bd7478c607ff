"""Price control (政府指导价): what the law lets a tariff charge, and what goes beyond it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from math import ceil
from typing import ParamSpec, TypeVar

import pricing
from parking_api.audit import Action, Connection, record
from parking_api.errors import ParameterFault
from parking_api.models import Json, Row
from parking_api.price_controls.errors import (
    ControlExistsError,
    ControlStateError,
    ControlUnknownError,
    PriceControlError,
)
from parking_api.price_controls.models import NewControl
from parking_api.quotes import queries as price_queries
from parking_api.quotes.errors import TariffInvalidError
from parking_api.quotes.prices import calendar_of
from parking_api.tariffs import queries
from parking_api.tariffs.models import AppliesTo
from parking_api.worker import off_loop
from parking_api.workflow import SamePersonError
from sql.engine import AdvisoryLock, Transaction, lock
from sql.named import named

P = ParamSpec("P")
R = TypeVar("R")


async def looked_over(look: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Look a tariff over in some way, off the loop: one may take a second.

    Raises:
        TariffInvalidError: The document takes too many steps to look over.
    """
    try:
        return await off_loop(look, *args, **kwargs)
    except pricing.TooMuchWorkError as error:
        fault = ParameterFault(parameter="document", message=str(error))
        raise TariffInvalidError([fault]) from error


async def check(
    connection: Connection,
    tariff: pricing.Tariff,
    target: AppliesTo,
    start: datetime,
    end: datetime | None,
) -> None:
    """Hold a tariff against the price controls of the time that it would be in force.

    Args:
        connection: To the database.
        tariff: The document.
        target: What it applies to.
        start: From when on.
        end: Exclusive; None for no end. Controls that begin until then hold too.

    Raises:
        PriceControlError: With each clause that it breaks, and since when that holds.
    """
    rows = await applying(connection, target, start, end)
    if not rows:
        return
    calendar = calendar_of(await price_queries.calendar(connection))
    faults = await looked_over(_breaches, tariff, rows, start, calendar)
    if faults:
        raise PriceControlError(faults)


def _breaches(
    tariff: pricing.Tariff, rows: Sequence[Row], start: datetime, calendar: pricing.Calendar
) -> list[ParameterFault]:
    return [
        ParameterFault(
            parameter=f"document.{each.path}", message=f"{each.zh} {each.en} {which(row)}"
        )
        for row in rows
        if row["currency"] == tariff.currency
        for each in pricing.breaches(
            tariff, _ceiling(row), year=max(start, row["valid_from"]).year, calendar=calendar
        )
    ]


def which(row: Row) -> str:
    """Name a price control and its time."""
    until = f" to {row['valid_to'].isoformat()}" if row["valid_to"] else ""
    return (
        f"(Price control {row['price_control_id']}, from {row['valid_from'].isoformat()}{until}.)"
    )


async def ceilings_of(
    connection: Connection,
    tariff: pricing.Tariff,
    target: AppliesTo,
    start: datetime,
    end: datetime | None,
) -> list[pricing.Ceiling]:
    """Read the limits that hold for a tariff, of all classes of its zones, within a time."""
    rows = await applying(connection, target, start, end)
    return [_ceiling(row) for row in rows if row["currency"] == tariff.currency]


async def applying(
    connection: Connection, target: AppliesTo, start: datetime, end: datetime | None
) -> Sequence[Row]:
    """Read the price controls that hold for what a tariff applies to, within a time."""
    scope = await connection.fetchrow(
        named("control_classes"), list(target.zones), list(target.lot_types), list(target.lots)
    )
    assert scope is not None  # noqa: S101 - the query always gives one row
    scoped = (scope["zone_classes"], scope["lot_types"], start, end)
    return await connection.fetch(named("control_list"), *(None, False), *scoped)


def limits(row: Row) -> tuple[int | None, int | None]:
    """Settle floor and ceiling of an hour: of the float and the amounts the narrower hold.

    Returns:
        Smallest units; None for none.
    """
    base, up, down = row["base_minor"], row["float_up_percent"], row["float_down_percent"]
    ceilings = [row["ceiling_minor"], None if up is None else base * (100 + up) // 100]
    floors = [row["floor_minor"], None if down is None else ceil(base * (100 - down) / 100)]
    return (
        max((each for each in floors if each is not None), default=None),
        min((each for each in ceilings if each is not None), default=None),
    )


def _ceiling(row: Row) -> pricing.Ceiling:
    floor, ceiling = limits(row)
    return pricing.Ceiling(
        reference=row["legal_reference_zh"],
        hour_minor=ceiling,
        day_minor=row["day_ceiling_minor"],
        floor_hour_minor=floor,
        vehicle=row["vehicle"],
    )


async def controls(connection: Connection, *, whole: bool) -> Sequence[Row]:
    """Read all price controls; drafts too if `whole` is set."""
    return await connection.fetch(named("control_list"), None, whole, None, [], None, None)


async def control(connection: Connection, control_id: str, *, whole: bool) -> Row:
    """Read one price control.

    Raises:
        ControlUnknownError: There is none, or it is a draft and `whole` is not set.
    """
    row: Row | None = await connection.fetchrow(
        named("control_list"), control_id, whole, None, [], None, None
    )
    if row is None:
        raise ControlUnknownError
    return row


async def draft(connection: Connection, new: NewControl, act: Action) -> Row:
    """Draft a price control; within a transaction.

    Raises:
        ControlExistsError: Its id is taken.
    """
    added = await connection.fetchval(
        named("control_add"),
        *(new.price_control_id, new.legal_reference.zh, new.legal_reference.en),
        *(new.zone_class, sorted(set(new.lot_types)), new.currency, new.vehicle),
        *(new.base_minor, new.float_up_percent, new.float_down_percent),
        *(new.floor_minor, new.ceiling_minor, new.day_ceiling_minor),
        *(new.valid_from, new.valid_to, act.person_id, act.at),
    )
    if added is None:
        raise ControlExistsError
    row = await control(connection, new.price_control_id, whole=True)
    await _record(connection, act, "price_control.draft", None, row)
    return row


async def approve(
    connection: Connection, control_id: str, act: Action
) -> tuple[Row, list[tuple[Row, list[ParameterFault]]]]:
    """Put a price control in force; within a transaction.

    Returns:
        The control, and the versions published before that go beyond it, each with the clauses
        that it breaks.

    Raises:
        ControlUnknownError: There is none.
        SamePersonError: It was drafted by whoever approves.
        ControlStateError: It is in force already.
    """
    await lock(Transaction(connection), AdvisoryLock.TARIFFS)
    before = await control(connection, control_id, whole=True)
    if before["drafted_by"] == act.person_id:
        raise SamePersonError
    if not await connection.fetchval(named("control_approve"), control_id, act.person_id, act.at):
        raise ControlStateError
    row = await control(connection, control_id, whole=True)
    await _record(connection, act, "price_control.approve", before, row)
    return row, await _beyond(connection, row, act.at)


async def _beyond(
    connection: Connection, row: Row, at: datetime
) -> list[tuple[Row, list[ParameterFault]]]:
    start, end = max(at, row["valid_from"]), row["valid_to"]
    if end is not None and end <= start:
        return []
    calendar = calendar_of(await price_queries.calendar(connection))
    found: list[tuple[Row, list[ParameterFault]]] = []
    for version in await connection.fetch(named("control_tariffs"), start, end):
        holding = await applying(connection, queries.target_of(version), start, end)
        if row["price_control_id"] in {each["price_control_id"] for each in holding}:
            tariff = queries.tariff_of(version)
            faults = await looked_over(_breaches, tariff, [row], version["starts_at"], calendar)
            found += [(version, faults)] if faults else []
    return found


async def end(connection: Connection, control_id: str, valid_to: datetime, act: Action) -> Row:
    """Let a price control end; within a transaction.

    Raises:
        ControlUnknownError: There is none.
        ControlStateError: It has ended before then, or begins later; or that is in the past.
    """
    await lock(Transaction(connection), AdvisoryLock.TARIFFS)
    before = await control(connection, control_id, whole=True)
    if valid_to < act.at:
        raise ControlStateError("A price control ends now or later, not in the past.")
    if not await connection.fetchval(named("control_end"), control_id, valid_to):
        raise ControlStateError
    row = await control(connection, control_id, whole=True)
    await _record(connection, act, "price_control.end", before, row)
    return row


def answer(row: Row) -> Json:
    """Make a price control out of a row of `control_list.sql`."""
    floor, ceiling = limits(row)
    names = ("zone_class", "lot_types", "currency", "vehicle", "base_minor", "float_up_percent")
    more = ("float_down_percent", "floor_minor", "ceiling_minor", "day_ceiling_minor")
    done = ("valid_from", "valid_to", "drafted_by", "drafted_at", "approved_by", "approved_at")
    return {
        "price_control_id": row["price_control_id"],
        "legal_reference": {"zh": row["legal_reference_zh"], "en": row["legal_reference_en"]},
        **{column: row[column] for column in (*names, *more, *done)},
        "hour_floor_minor": floor,
        "hour_ceiling_minor": ceiling,
    }


async def _record(
    connection: Connection, act: Action, action: str, before: Row | None, after: Row
) -> None:
    await record(
        connection,
        person_id=act.person_id,
        action=action,
        subject=f"price_control/{after['price_control_id']}",
        before=before and _audited(before),
        after=_audited(after),
        reason=act.reason,
        at=act.at,
    )


def _audited(row: Row) -> Json:
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in answer(row).items()
    }
