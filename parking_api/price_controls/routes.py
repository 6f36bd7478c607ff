"""Routes of price controls."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from parking_api.audit import Action
from parking_api.errors import DatabaseAwayError, described
from parking_api.models import Why, respond
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people.access import Approver, Drafter, SeesAll, guarded
from parking_api.price_controls import service
from parking_api.price_controls.errors import (
    ControlExistsError,
    ControlStateError,
    ControlUnknownError,
)
from parking_api.price_controls.models import (
    ApprovedControl,
    Control,
    ControlEnd,
    Controls,
    NewControl,
)
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from parking_api.workflow import SamePersonError

router = APIRouter(tags=["tariffs"], route_class=StrictRoute)

BAD: Final = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY: Final = HTTPStatus.SERVICE_UNAVAILABLE
ControlId = Annotated[str, Path(pattern=ID_PATTERN, examples=["qd-guide-1"])]


@router.get("/v1/price-controls", response_model=Controls, responses=described(BAD, AWAY))
async def price_controls(_: Nothing, deps: Deps, sees_all: SeesAll) -> Response:
    """List the price controls; the bureau sees drafts too."""
    async with deps.database.connection() as connection:
        rows = await service.controls(connection, whole=sees_all)
    return respond({"items": [service.answer(row) for row in rows], "next": None})


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
        row = await service.control(connection, control_id, whole=sees_all)
    return respond(service.answer(row))


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
        row = await service.draft(connection, body, act)
    answer = respond(service.answer(row))
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
        row, beyond = await service.approve(connection, control_id, act)
    named = [
        {
            "tariff_id": version["tariff_id"],
            "version": version["version"],
            "from": version["starts_at"],
            "errors": [fault.model_dump() for fault in faults],
        }
        for version, faults in beyond
    ]
    return respond(service.answer(row) | {"beyond": named})


@router.post(
    "/v1/price-controls/{control_id}/end",
    response_model=Control,
    responses=guarded(ControlUnknownError, ControlStateError, DatabaseAwayError),
)
async def end(control_id: ControlId, body: ControlEnd, deps: Deps, caller: Approver) -> Response:
    """Let a price control end."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await service.end(connection, control_id, body.valid_to, act)
    return respond(service.answer(row))
