"""What is done with the calendar: a year is published, and stays."""

from parking_api.calendar import queries
from parking_api.calendar.errors import CalendarDaysError, CalendarFixedError
from parking_api.calendar.models import NewYear
from parking_api.errors import ParameterFault
from parking_api.quotes.queries import Year
from parking_api.workflow import Act


async def publish(act: Act, year: int, new: NewYear) -> Year:
    """Publish a year.

    Raises:
        CalendarDaysError: A day is not of that year, or is both kinds.
        CalendarFixedError: The year is published already.
    """
    _check(year, new)
    published = await queries.add_year(
        act.db,
        year=year,
        holidays=sorted(new.holidays),
        makeup_workdays=sorted(new.makeup_workdays),
        by=act.person_id,
        at=act.at,
    )
    if published is None:
        raise CalendarFixedError
    days = {"holidays": published.holidays, "makeup_workdays": published.makeup_workdays}
    act.keep("calendar.publish", f"calendar/{year}", None, days)
    return published


def _check(year: int, new: NewYear) -> None:
    faults = [
        ParameterFault(parameter=name, message=f"{day} is not of {year}")
        for name, days in (("holidays", new.holidays), ("makeup_workdays", new.makeup_workdays))
        for day in days
        if day.year != year
    ]
    both = sorted(set(new.holidays) & set(new.makeup_workdays))
    faults += [ParameterFault(parameter="holidays", message=f"{day} is both") for day in both]
    if faults:
        raise CalendarDaysError(faults)
