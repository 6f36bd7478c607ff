"""Routes of the city's calendar."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from parking_api.audit import Action
from parking_api.calendar import service
from parking_api.calendar.errors import CalendarFixedError
from parking_api.calendar.models import NewYear, Year, Years
from parking_api.errors import DatabaseAwayError, described
from parking_api.models import respond
from parking_api.parameters import Nothing
from parking_api.people.access import Approver, guarded
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute

router = APIRouter(tags=["tariffs"], route_class=StrictRoute)

BAD: Final = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY: Final = HTTPStatus.SERVICE_UNAVAILABLE
YearNumber = Annotated[int, Path(ge=2000, le=2199, examples=[2027])]


@router.get("/v1/calendar", response_model=Years, responses=described(BAD, AWAY))
async def years(_: Nothing, deps: Deps) -> Response:
    """Give the city's public holidays and make-up workdays, year by year."""
    async with deps.database.connection() as connection:
        rows = await service.years(connection)
    return respond({"items": [dict(row) for row in rows], "next": None})


@router.put(
    "/v1/calendar/{year}",
    response_model=Year,
    responses=guarded(CalendarFixedError, DatabaseAwayError),
)
async def publish_year(year: YearNumber, body: NewYear, deps: Deps, caller: Approver) -> Response:
    """Publish a year's calendar. It stays: what a stay cost must come out again."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await service.publish(connection, year, body, act)
    await deps.prices.reload()
    return respond(dict(row))
