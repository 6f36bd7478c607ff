"""Routes of the city's calendar."""

from typing import Annotated

from fastapi import APIRouter, Path

from parking_api.calendar import service
from parking_api.calendar.errors import CalendarFixedError
from parking_api.calendar.models import NewYear
from parking_api.calendar.service import CALENDAR
from parking_api.errors import DatabaseAwayError, public
from parking_api.models import Page
from parking_api.parameters import Nothing
from parking_api.people.access import guarded, taking
from parking_api.people.queries import Person
from parking_api.quotes import queries as quote_queries
from parking_api.quotes.following import CurrentPrices
from parking_api.quotes.models import PublishedYear, Year
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute

router = APIRouter(tags=["tariffs"], route_class=StrictRoute)

YearNumber = Annotated[int, Path(ge=2000, le=2199, examples=[2027])]


@router.get("/v1/calendar", responses=public())
async def list_years(_: Nothing, deps: Deps) -> Page[Year]:
    """Give the city's public holidays and make-up workdays, year by year."""
    async with deps.database.connection() as db:
        years = await quote_queries.calendar(db)
    return Page(items=[Year.part_of(each) for each in years])


@router.put("/v1/calendar/{year}", responses=guarded(CalendarFixedError, DatabaseAwayError))
async def publish_year(
    year: YearNumber,
    body: NewYear,
    deps: Deps,
    prices: CurrentPrices,
    caller: Annotated[Person, taking(CALENDAR, "publish")],
) -> PublishedYear:
    """Publish a year's calendar. It stays: what a stay cost must come out again."""
    async with deps.act(caller, body.reason) as act:
        published = await service.publish(act, year, body)
    await prices.reload()
    return published
