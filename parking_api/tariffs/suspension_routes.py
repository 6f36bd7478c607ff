"""Routes of suspensions."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter

from parking_api.decisions import service as decisions
from parking_api.decisions.models import AskedDecision
from parking_api.decisions.service import DECISIONS
from parking_api.models import Page, Why
from parking_api.parameters import Nothing
from parking_api.people.access import SeesAll, guarded, public_with_login, taking
from parking_api.people.errors import NotStandingError
from parking_api.people.queries import Person
from parking_api.quotes.following import CurrentPrices
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from parking_api.tariffs import queries
from parking_api.tariffs import suspensions as service
from parking_api.tariffs.errors import (
    SuspendedBeforeError,
    TariffUnknownError,
    VersionStateError,
    VersionSuspensionError,
)
from parking_api.tariffs.key import VERSION_PATH, VersionKey
from parking_api.tariffs.models import BureauSuspension, SuspensionAnswer, VersionNamed
from parking_api.tariffs.suspensions import RESUMPTION, SUSPENSIONS
from parking_api.workflow import SamePersonError

router = APIRouter(tags=["tariffs"], route_class=StrictRoute)


@router.get("/v1/suspensions", responses=public_with_login())
async def list_suspensions(
    _: Nothing, deps: Deps, sees_all: SeesAll
) -> Page[BureauSuspension] | Page[SuspensionAnswer]:
    """List all suspensions, the newest first; to the bureau, with who did what."""
    async with deps.database.connection() as db:
        found = await queries.suspensions(db, deps.clock())
    if sees_all:
        return Page[BureauSuspension](items=found)
    return Page[SuspensionAnswer](items=[SuspensionAnswer.part_of(each) for each in found])


@router.post(
    f"{VERSION_PATH}/suspend",
    responses=guarded(
        TariffUnknownError, VersionStateError, VersionSuspensionError, SuspendedBeforeError
    ),
)
async def suspend_version(
    key: VersionKey,
    body: Why,
    deps: Deps,
    prices: CurrentPrices,
    caller: Annotated[Person, taking(SUSPENSIONS, "suspend")],
) -> BureauSuspension:
    """Suspend a version at once; it lapses after 24 hours unless a second person confirms it.

    One not yet in force does not start before the suspension ends, and what was before goes on. Of
    one in force, new quotes are null, with the reason; there is never another price. The reason is
    public.
    """
    async with deps.act(caller, body.reason) as act:
        suspended = await service.suspend(act, key)
    await prices.reload()
    return suspended


@router.post(
    f"{VERSION_PATH}/suspend/confirm",
    responses=guarded(VersionSuspensionError, SamePersonError, NotStandingError),
)
async def confirm_suspension(
    key: VersionKey,
    body: Why,
    deps: Deps,
    prices: CurrentPrices,
    caller: Annotated[Person, taking(SUSPENSIONS, "confirm")],
) -> BureauSuspension:
    """Confirm a version's suspension, as a second person: it lasts until it is lifted."""
    async with deps.act(caller, body.reason) as act:
        confirmed = await service.confirm(act, key)
    await prices.reload()
    return confirmed


@router.post(
    f"{VERSION_PATH}/resume",
    status_code=HTTPStatus.ACCEPTED,
    responses=guarded(VersionSuspensionError),
)
async def resume_version(
    key: VersionKey,
    body: Why,
    deps: Deps,
    caller: Annotated[Person, taking(DECISIONS, "ask")],
) -> AskedDecision:
    """Ask for a suspension to be lifted; another person confirms it: see `/v1/decisions`."""
    async with deps.act(caller, body.reason) as act:
        named = VersionNamed(tariff_id=key.tariff_id, version=key.version)
        return await decisions.ask(act, RESUMPTION, key.subject, named)
