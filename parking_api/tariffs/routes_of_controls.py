"""Routes of price controls and of the city's calendar."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from parking_api.audit import Action
from parking_api.errors import DatabaseAwayError, described
from parking_api.models import Why, respond
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people.access import Approver, Drafter, guarded
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from parking_api.tariffs import calendar, controls
from parking_api.tariffs.errors import (
    CalendarFixedError,
    ControlExistsError,
    ControlStateError,
    ControlUnknownError,
)
from parking_api.tariffs.schemas_of_controls import (
    ApprovedControl,
    Control,
    ControlEnd,
    Controls,
    NewControl,
    NewYear,
    Year,
    Years,
)
from parking_api.tariffs.visiting import SeesAll
from parking_api.workflow import SamePersonError

router = APIRouter(tags=["tariffs"], route_class=StrictRoute)

BAD: Final = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY: Final = HTTPStatus.SERVICE_UNAVAILABLE
ControlId = Annotated[str, Path(pattern=ID_PATTERN, examples=["qd-guide-1"])]
YearNumber = Annotated[int, Path(ge=2000, le=2199, examples=[2027])]


@router.get("/v1/price-controls", response_model=Controls, responses=described(BAD, AWAY))
async def price_controls(_: Nothing, deps: Deps, sees_all: SeesAll) -> Response:
    """List the price controls; the bureau sees drafts too."""
    async with deps.database.connection() as connection:
        rows = await controls.controls(connection, whole=sees_all)
    return respond({"items": [controls.answer(row) for row in rows], "next": None})


@router.get(
    "/v1/price-controls/{control_id}",
    response_model=Control,
    responses=described(ControlUnknownError, BAD, AWAY),
)
async def price_control(
    control_id: ControlId, _: Nothing, deps: Deps, sees_all: SeesAll
) -> Response:
    """Give one price control: its legal reference, base, float, floor and ceiling."""
    async with deps.database.connection() as connection:
        row = await controls.control(connection, control_id, whole=sees_all)
    return respond(controls.answer(row))


@router.post(
    "/v1/price-controls",
    status_code=HTTPStatus.CREATED,
    response_model=Control,
    responses=guarded(ControlExistsError, DatabaseAwayError),
)
async def new(body: NewControl, deps: Deps, caller: Drafter) -> Response:
    """Draft a price control; it binds nobody until it is approved."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await controls.draft(connection, body, act)
    answer = respond(controls.answer(row))
    answer.status_code = HTTPStatus.CREATED
    return answer


@router.post(
    "/v1/price-controls/{control_id}/approve",
    response_model=ApprovedControl,
    responses=guarded(ControlUnknownError, SamePersonError, ControlStateError, DatabaseAwayError),
)
async def approve(control_id: ControlId, body: Why, deps: Deps, caller: Approver) -> Response:
    """Approve a price control: no tariff that goes beyond it is published from then on.

    Versions that were published before and go beyond it stay as they are; the answer names them.
    """
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row, beyond = await controls.approve(connection, control_id, act)
    named = [
        {
            "tariff_id": version["tariff_id"],
            "version": version["version"],
            "from": version["starts_at"],
            "errors": [fault.model_dump() for fault in faults],
        }
        for version, faults in beyond
    ]
    return respond(controls.answer(row) | {"beyond": named})


@router.post(
    "/v1/price-controls/{control_id}/end",
    response_model=Control,
    responses=guarded(ControlUnknownError, ControlStateError, DatabaseAwayError),
)
async def end(control_id: ControlId, body: ControlEnd, deps: Deps, caller: Approver) -> Response:
    """Let a price control end."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await controls.end(connection, control_id, body.valid_to, act)
    return respond(controls.answer(row))


@router.get("/v1/calendar", response_model=Years, responses=described(BAD, AWAY))
async def years(_: Nothing, deps: Deps) -> Response:
    """Give the city's public holidays and make-up workdays, year by year."""
    async with deps.database.connection() as connection:
        rows = await calendar.years(connection)
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
        row = await calendar.publish(connection, year, body, act)
    await deps.prices.reload()
    return respond(dict(row))
