"""Routes of price controls."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from parking_api.decisions import service as decisions
from parking_api.decisions.models import AskedDecision
from parking_api.decisions.service import DECISIONS
from parking_api.errors import DatabaseAwayError
from parking_api.models import Page, Why
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people.access import SeesAll, guarded, public_with_login, taking
from parking_api.people.errors import NotStandingError
from parking_api.people.queries import Person
from parking_api.price_controls import queries, service
from parking_api.price_controls.errors import (
    ControlExistsError,
    ControlStateError,
    ControlUnknownError,
)
from parking_api.price_controls.models import (
    ApprovedControl,
    BureauControl,
    Control,
    ControlEnd,
    EndOf,
    NewControl,
)
from parking_api.price_controls.service import CONTROLS, END
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from parking_api.workflow import SamePersonError

router = APIRouter(tags=["tariffs"], route_class=StrictRoute)

ControlId = Annotated[str, Path(pattern=ID_PATTERN, examples=["qd-guide-1"])]


@router.get("/v1/price-controls", responses=public_with_login())
async def list_price_controls(_: Nothing, deps: Deps, sees_all: SeesAll) -> Page[Control]:
    """List the price controls; the bureau sees drafts too."""
    async with deps.database.connection() as db:
        found = await queries.controls(db, include_drafts=sees_all)
    return Page(items=[Control.part_of(BureauControl.of(each)) for each in found])


@router.get("/v1/price-controls/{control_id}", responses=public_with_login(ControlUnknownError))
async def get_price_control(
    control_id: ControlId, _: Nothing, deps: Deps, sees_all: SeesAll
) -> BureauControl | Control:
    """Give one price control: its legal reference, base, float, floor and ceiling.

    To the bureau, with who did what.
    """
    async with deps.database.connection() as db:
        found = BureauControl.of(await service.control(db, control_id, include_drafts=sees_all))
    return found if sees_all else Control.part_of(found)


@router.post(
    "/v1/price-controls",
    status_code=HTTPStatus.CREATED,
    responses=guarded(ControlExistsError, DatabaseAwayError),
)
async def draft_price_control(
    body: NewControl, deps: Deps, caller: Annotated[Person, taking(CONTROLS, "draft")]
) -> BureauControl:
    """Draft a price control; it binds nobody until it is approved."""
    async with deps.act(caller, body.reason) as act:
        return BureauControl.of(await service.draft(act, body))


@router.post(
    "/v1/price-controls/{control_id}/approve",
    responses=guarded(
        ControlUnknownError,
        SamePersonError,
        NotStandingError,
        ControlStateError,
        DatabaseAwayError,
    ),
)
async def approve_price_control(
    control_id: ControlId,
    body: Why,
    deps: Deps,
    caller: Annotated[Person, taking(CONTROLS, "approve")],
) -> ApprovedControl:
    """Approve a price control: no tariff that goes beyond it is published from then on.

    Versions that were published before and go beyond it stay as they are; the answer names them.
    """
    async with deps.act(caller, body.reason) as act:
        approved, beyond = await service.approve(act, control_id)
    return ApprovedControl.model_construct(**dict(BureauControl.of(approved)), beyond=beyond)


@router.post(
    "/v1/price-controls/{control_id}/end",
    status_code=HTTPStatus.ACCEPTED,
    responses=guarded(ControlUnknownError, ControlStateError, DatabaseAwayError),
)
async def end_price_control(
    control_id: ControlId,
    body: ControlEnd,
    deps: Deps,
    caller: Annotated[Person, taking(DECISIONS, "ask")],
) -> AskedDecision:
    """Ask for a price control to end, when another person has confirmed it, or later.

    `valid_to` must lie ahead then too. See `/v1/decisions`.
    """
    given = EndOf(price_control_id=control_id, valid_to=body.valid_to)
    async with deps.act(caller, body.reason) as act:
        return await decisions.ask(act, END, f"price_control/{control_id}", given)
