"""Routes of the city's calendar."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from parking_api.calendar.errors import CalendarDaysError, CalendarFixedError
from parking_api.calendar.models import NewYear, YearOf
from parking_api.calendar.service import PUBLICATION
from parking_api.decisions import service as decisions
from parking_api.decisions.models import AskedDecision
from parking_api.decisions.service import DECISIONS
from parking_api.errors import DatabaseAwayError, public
from parking_api.models import Page
from parking_api.parameters import Nothing, Whole
from parking_api.people.access import guarded, taking
from parking_api.people.queries import Person
from parking_api.quotes import queries as quote_queries
from parking_api.quotes.models import Year
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute

router = APIRouter(tags=["tariffs"], route_class=StrictRoute)

YearNumber = Annotated[Whole, Path(ge=2000, le=2199, examples=[2027])]


@router.get("/v1/calendar", responses=public())
async def list_years(_: Nothing, deps: Deps) -> Page[Year]:
    """Give the city's public holidays and make-up workdays, year by year."""
    async with deps.database.connection() as db:
        years = await quote_queries.calendar(db)
    return Page(items=[Year.part_of(each) for each in years])


@router.put(
    "/v1/calendar/{year}",
    status_code=HTTPStatus.ACCEPTED,
    responses=guarded(CalendarFixedError, CalendarDaysError, DatabaseAwayError),
)
async def publish_year(
    year: YearNumber,
    body: NewYear,
    deps: Deps,
    caller: Annotated[Person, taking(DECISIONS, "ask")],
) -> AskedDecision:
    """Ask for a year's calendar to be published; another person confirms it: see `/v1/decisions`.

    It stays: what a stay cost must come out again.
    """
    days = body.model_dump(mode="json", include={"holidays", "makeup_workdays"})
    given = YearOf.model_validate({"year": year, **days})
    async with deps.act(caller, body.reason) as act:
        return await decisions.ask(act, PUBLICATION, f"calendar/{year}", given)
