"""What is done with the calendar: a year is published, and stays."""

from collections.abc import Sequence
from typing import Any

from parking_api.audit import Action, Connection, record
from parking_api.calendar.errors import CalendarDaysError, CalendarFixedError
from parking_api.calendar.models import NewYear
from parking_api.errors import ParameterFault
from sql.named import named


async def years(connection: Connection) -> Sequence[Any]:
    """Read every year."""
    return await connection.fetch(named("calendar_list"))


async def publish(connection: Connection, year: int, new: NewYear, act: Action) -> Any:
    """Publish a year; within a transaction.

    Raises:
        CalendarDaysError: A day is not of that year, or is both kinds.
        CalendarFixedError: The year is published already.
    """
    _check(year, new)
    row = await connection.fetchrow(
        named("calendar_add"),
        *(year, sorted(new.holidays), sorted(new.makeup_workdays), act.person_id, act.at),
    )
    if row is None:
        raise CalendarFixedError
    days = {
        name: [day.isoformat() for day in row[name]] for name in ("holidays", "makeup_workdays")
    }
    await record(
        connection,
        person_id=act.person_id,
        action="calendar.publish",
        subject=f"calendar/{year}",
        before=None,
        after=days,
        reason=act.reason,
        at=act.at,
    )
    return row


def _check(year: int, new: NewYear) -> None:
    faults = [
        ParameterFault(parameter=name, message=f"{day} is not of {year}")
        for name in ("holidays", "makeup_workdays")
        for day in getattr(new, name)
        if day.year != year
    ]
    both = sorted(set(new.holidays) & set(new.makeup_workdays))
    faults += [ParameterFault(parameter="holidays", message=f"{day} is both") for day in both]
    if faults:
        raise CalendarDaysError(faults)
