"""Routes of price mechanisms and their reviews."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from parking_api.errors import DatabaseAwayError
from parking_api.mechanisms import queries, service
from parking_api.mechanisms.errors import (
    MechanismExistsError,
    MechanismsOverlapError,
    MechanismStateError,
    MechanismUnfitError,
    MechanismUnknownError,
    ReviewStateError,
    ReviewUnknownError,
)
from parking_api.mechanisms.models import (
    BureauMechanism,
    MechanismAnswer,
    NewMechanism,
    ReviewAnswer,
    ReviewsAsk,
)
from parking_api.mechanisms.service import MECHANISMS, REVIEWS
from parking_api.models import Page, Why
from parking_api.paging import page
from parking_api.parameters import ID_PATTERN, Nothing, Whole
from parking_api.people.access import SeesAll, guarded, is_of_bureau, public_with_login, taking
from parking_api.people.errors import NotStandingError
from parking_api.people.queries import Person
from parking_api.quotes.following import CurrentPrices
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from parking_api.tariffs.models import BureauVersion
from parking_api.tariffs.routes import created
from parking_api.workflow import NotTheDrafterError, SamePersonError

router = APIRouter(tags=["mechanisms"], route_class=StrictRoute)

CREATED: Final = HTTPStatus.CREATED
PATH: Final = "/v1/mechanisms/{mechanism_id}"
CHANGING: Final = (MechanismUnknownError, MechanismStateError, DatabaseAwayError)

MechanismId = Annotated[str, Path(pattern=ID_PATTERN, examples=["taidong-road"])]
Number = Annotated[Whole, Path(ge=1, le=2**31 - 1, examples=[1])]


@router.get("/v1/mechanisms", responses=public_with_login())
async def list_mechanisms(_: Nothing, deps: Deps, sees_all: SeesAll) -> Page[MechanismAnswer]:
    """List the price mechanisms; the bureau sees drafts too."""
    async with deps.database.connection() as db:
        found = await queries.mechanisms(db, include_drafts=sees_all)
    return Page(items=[MechanismAnswer.part_of(each) for each in found])


@router.post(
    "/v1/mechanisms",
    status_code=CREATED,
    responses=guarded(MechanismExistsError, MechanismUnfitError, DatabaseAwayError),
)
async def draft_mechanism(
    body: NewMechanism,
    deps: Deps,
    caller: Annotated[Person, taking(MECHANISMS, "draft")],
    response: Response,
) -> BureauMechanism:
    """Draft a price mechanism; it reviews nothing until it is approved."""
    async with deps.act(caller, body.reason) as act:
        drafted = await service.draft(act, body.mechanism)
    response.headers["Location"] = f"/v1/mechanisms/{drafted.mechanism_id}"
    return drafted


@router.get(PATH, responses=public_with_login(MechanismUnknownError))
async def get_mechanism(
    mechanism_id: MechanismId, _: Nothing, deps: Deps, sees_all: SeesAll
) -> BureauMechanism | MechanismAnswer:
    """Give one price mechanism: whose prices it moves, when, by what rule, within what limits.

    To the bureau, with who did what.
    """
    async with deps.database.connection() as db:
        found = await service.mechanism(db, mechanism_id, include_drafts=sees_all)
    return found if sees_all else MechanismAnswer.part_of(found)


@router.put(PATH, responses=guarded(*CHANGING, MechanismUnfitError, NotTheDrafterError))
async def change_mechanism(
    mechanism_id: MechanismId,
    body: NewMechanism,
    deps: Deps,
    caller: Annotated[Person, taking(MECHANISMS, "change")],
) -> BureauMechanism:
    """Write one's own draft anew."""
    async with deps.act(caller, body.reason) as act:
        return await service.change_draft(act, mechanism_id, body.mechanism)


@router.post(
    f"{PATH}/approve",
    responses=guarded(
        *CHANGING, MechanismUnfitError, MechanismsOverlapError, SamePersonError, NotStandingError
    ),
)
async def approve_mechanism(
    mechanism_id: MechanismId,
    body: Why,
    deps: Deps,
    caller: Annotated[Person, taking(MECHANISMS, "approve")],
) -> BureauMechanism:
    """Approve a price mechanism, once; each version that comes of it is approved as any other.

    It takes another person than the drafter, a tariff that prices just this zone and these lot
    types with a period for each time band, and limits within the price control.
    """
    async with deps.act(caller, body.reason) as act:
        return await service.approve(act, mechanism_id)


@router.post(f"{PATH}/freeze", responses=guarded(*CHANGING))
async def freeze_mechanism(
    mechanism_id: MechanismId,
    body: Why,
    deps: Deps,
    caller: Annotated[Person, taking(MECHANISMS, "freeze")],
) -> BureauMechanism:
    """Freeze a price mechanism: its reviews propose nothing until it is resumed."""
    async with deps.act(caller, body.reason) as act:
        return await service.set_mode(act, mechanism_id, "frozen")


@router.post(f"{PATH}/resume", responses=guarded(*CHANGING))
async def resume_mechanism(
    mechanism_id: MechanismId,
    body: Why,
    deps: Deps,
    caller: Annotated[Person, taking(MECHANISMS, "resume")],
) -> BureauMechanism:
    """Let a frozen price mechanism go on."""
    async with deps.act(caller, body.reason) as act:
        return await service.set_mode(act, mechanism_id, "on")


@router.post(f"{PATH}/retire", responses=guarded(*CHANGING, NotTheDrafterError))
async def retire_mechanism(
    mechanism_id: MechanismId,
    body: Why,
    deps: Deps,
    caller: Annotated[Person, taking(MECHANISMS, "retire")],
) -> BureauMechanism:
    """End a price mechanism for good, or give a draft up; prices stay as they are."""
    async with deps.act(caller, body.reason) as act:
        return await service.retire(act, mechanism_id)


@router.get(f"{PATH}/reviews", responses=guarded(MechanismUnknownError, DatabaseAwayError))
async def list_reviews(
    mechanism_id: MechanismId,
    ask: Annotated[ReviewsAsk, Query()],
    caller: Annotated[Person, taking(REVIEWS, "review")],
    deps: Deps,
) -> Page[ReviewAnswer]:
    """List the recorded executions of a price mechanism, newest first."""
    async with deps.database.connection() as db:
        await service.mechanism(db, mechanism_id, include_drafts=is_of_bureau(caller.roles))
        # One more than the page holds tells whether another follows.
        found = await queries.reviews(db, mechanism_id, most=ask.limit + 1, before=ask.cursor)
    path = f"/v1/mechanisms/{mechanism_id}/reviews"
    return page(path, ask, ask.limit, found, lambda each: each.number)


@router.post(
    f"{PATH}/reviews",
    status_code=CREATED,
    responses=guarded(*CHANGING, MechanismUnfitError),
)
async def run_review(
    mechanism_id: MechanismId,
    body: Why,
    *,
    deps: Deps,
    prices: CurrentPrices,
    caller: Annotated[Person, taking(REVIEWS, "review")],
    response: Response,
) -> ReviewAnswer:
    """Review the prices now: read the history, apply the rule, record what it proposes and why.

    Nothing changes money by itself: a drafter takes a proposal up, and it goes the way of any
    tariff version.
    """
    async with deps.act(caller, body.reason) as act:
        await service.mechanism(act.db, mechanism_id, include_drafts=is_of_bureau(caller.roles))
        made = await service.review(act, mechanism_id, prices.calendar)
    response.headers["Location"] = f"/v1/mechanisms/{mechanism_id}/reviews/{made.number}"
    return made


@router.get(
    f"{PATH}/reviews/{{number}}",
    dependencies=[taking(REVIEWS, "review")],
    responses=guarded(ReviewUnknownError, DatabaseAwayError),
)
async def get_review(
    mechanism_id: MechanismId, number: Number, _: Nothing, deps: Deps
) -> ReviewAnswer:
    """Give one review: what was read of each time band, the rule, the proposal, and why."""
    async with deps.database.connection() as db:
        return await service.one_review(db, mechanism_id, number)


@router.post(
    f"{PATH}/reviews/{{number}}/draft",
    status_code=CREATED,
    responses=guarded(
        MechanismUnknownError,
        ReviewUnknownError,
        ReviewStateError,
        MechanismUnfitError,
        DatabaseAwayError,
    ),
)
async def draft_reviewed_version(
    mechanism_id: MechanismId,
    number: Number,
    body: Why,
    deps: Deps,
    caller: Annotated[Person, taking(REVIEWS, "draft_version")],
    *,
    response: Response,
) -> BureauVersion:
    """Draft a tariff version with what the newest review proposes, to be submitted and approved."""
    async with deps.act(caller, body.reason) as act:
        return created(await service.draft_version(act, mechanism_id, number), response)
