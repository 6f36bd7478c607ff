"""Calendar commands: a year is published, and stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from parking_api.calendar import queries
from parking_api.calendar.errors import CalendarDaysError, CalendarFixedError
from parking_api.calendar.models import YearOf
from parking_api.decisions import service as decisions
from parking_api.errors import ParameterFault
from parking_api.quotes import queries as quote_queries
from parking_api.quotes.models import PublishedYear, Year
from parking_api.workflow import Act, Step, Workflow, change
from sql.engine import AdvisoryLock, Transaction, lock
from sql.kinds import APPROVER


@dataclass(frozen=True)
class CalendarYear:
    """A year, whose days are published or not.

    Attributes:
        year: Which.
        days: Its days; None where they are not published.
    """

    year: int
    days: Year | None = None

    @property
    def state(self) -> str:
        """Where in the workflow it is."""
        return "open" if self.days is None else "published"

    @property
    def subject(self) -> str:
        """What the audit calls it."""
        return f"calendar/{self.year}"

    @property
    def audited(self) -> dict[str, Sequence[date]] | None:
        """What the audit keeps of it."""
        if self.days is None:
            return None
        return {"holidays": self.days.holidays, "makeup_workdays": self.days.makeup_workdays}


async def _locked(db: Transaction, year: int) -> CalendarYear:
    """Read a year, under the lock that everybody takes who changes what prices rest on."""
    await lock(db, AdvisoryLock.TARIFFS)
    published = {each.year: each for each in await quote_queries.calendar(db)}
    return CalendarYear(year, published.get(year))


CALENDAR: Final = Workflow[int, CalendarYear](
    kind="calendar",
    steps={"publish": [Step(APPROVER, ("open",), ("published",))]},
    lock=_locked,
    authors=lambda _: (),
    subject=lambda year: year.subject,
    audited=lambda year: year.audited,
    wrong_state=lambda *_: CalendarFixedError(),
)


async def _publish(act: Act, new: YearOf) -> PublishedYear:
    """Publish a year.

    Raises:
        CalendarDaysError: A day is not of that year, or is both kinds.
        CalendarFixedError: The year is published already.
    """
    year = new.year
    _check(new)
    async with change(act, CALENDAR, "publish", year) as taken:
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
        taken.after = CalendarYear(year, published)
    return published


# By two persons.
PUBLICATION: Final = decisions.declare("calendar.publish", YearOf, _publish)


def _check(new: YearOf) -> None:
    faults = [
        ParameterFault(parameter=name, message=f"{day} is not of {new.year}")
        for name, days in (("holidays", new.holidays), ("makeup_workdays", new.makeup_workdays))
        for day in days
        if day.year != new.year
    ]
    both = sorted(set(new.holidays) & set(new.makeup_workdays))
    faults += [ParameterFault(parameter="holidays", message=f"{day} is both") for day in both]
    if faults:
        raise CalendarDaysError(faults=faults)
