"""Routes of price mechanisms and their reviews."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from parking_api.errors import DatabaseAwayError, described
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
    MechanismAnswer,
    NewMechanism,
    ReviewAnswer,
    ReviewsAsk,
)
from parking_api.models import Page, Why
from parking_api.paging import cut, next_path
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people.access import Approver, Bureau, Drafter, SeesAll, allowed, guarded
from parking_api.people.queries import Person
from parking_api.quotes.following import CurrentPrices
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from parking_api.tariffs.models import BureauVersion
from parking_api.tariffs.routes import created
from parking_api.workflow import NotTheDrafterError, SamePersonError

router = APIRouter(tags=["mechanisms"], route_class=StrictRoute)

BAD: Final = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY: Final = HTTPStatus.SERVICE_UNAVAILABLE
CREATED: Final = HTTPStatus.CREATED
APPROVER: Final = "bureau_approver"
PATH: Final = "/v1/mechanisms/{mechanism_id}"
CHANGING: Final = (MechanismUnknownError, MechanismStateError, DatabaseAwayError)

MechanismId = Annotated[str, Path(pattern=ID_PATTERN, examples=["taidong-road"])]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[1])]
Reviewer = Annotated[Person, allowed("bureau_drafter", "bureau_approver", "operations")]


@router.get("/v1/mechanisms", responses=described(BAD, AWAY))
async def mechanisms(_: Nothing, deps: Deps, sees_all: SeesAll) -> Page[MechanismAnswer]:
    """List the price mechanisms; the bureau sees drafts too."""
    async with deps.database.connection() as db:
        found = await queries.mechanisms(db, include_drafts=sees_all)
    return Page(items=[MechanismAnswer.model_validate(each) for each in found], next=None)


@router.post(
    "/v1/mechanisms",
    status_code=CREATED,
    responses=guarded(MechanismExistsError, MechanismUnfitError, DatabaseAwayError),
)
async def new(
    body: NewMechanism, deps: Deps, caller: Drafter, response: Response
) -> MechanismAnswer:
    """Draft a price mechanism; it reviews nothing until it is approved."""
    async with deps.act(caller.person_id, body.reason) as act:
        drafted = await service.draft(act, body.mechanism)
    response.headers["Location"] = f"/v1/mechanisms/{drafted.mechanism_id}"
    return MechanismAnswer.model_validate(drafted)


@router.get(PATH, responses=described(MechanismUnknownError, BAD, AWAY))
async def mechanism(
    mechanism_id: MechanismId, _: Nothing, deps: Deps, sees_all: SeesAll
) -> MechanismAnswer:
    """Give one price mechanism: whose prices it moves, when, by what rule, within what limits."""
    async with deps.database.connection() as db:
        found = await service.mechanism(db, mechanism_id, include_drafts=sees_all)
    return MechanismAnswer.model_validate(found)


@router.put(PATH, responses=guarded(*CHANGING, MechanismUnfitError, NotTheDrafterError))
async def change(
    mechanism_id: MechanismId, body: NewMechanism, deps: Deps, caller: Drafter
) -> MechanismAnswer:
    """Write one's own draft anew."""
    async with deps.act(caller.person_id, body.reason) as act:
        changed = await service.change_draft(act, mechanism_id, body.mechanism)
    return MechanismAnswer.model_validate(changed)


@router.post(
    f"{PATH}/approve",
    responses=guarded(*CHANGING, MechanismUnfitError, MechanismsOverlapError, SamePersonError),
)
async def approve(
    mechanism_id: MechanismId, body: Why, deps: Deps, caller: Approver
) -> MechanismAnswer:
    """Approve a price mechanism, once; each version that comes of it is approved as any other.

    It takes another person than the drafter, a tariff that prices just this zone and these lot
    types with a period for each time band, and limits within the price control.
    """
    async with deps.act(caller.person_id, body.reason) as act:
        approved = await service.approve(act, mechanism_id)
    return MechanismAnswer.model_validate(approved)


@router.post(f"{PATH}/freeze", responses=guarded(*CHANGING))
async def freeze(
    mechanism_id: MechanismId, body: Why, deps: Deps, caller: Approver
) -> MechanismAnswer:
    """Freeze a price mechanism: its reviews propose nothing until it is resumed."""
    async with deps.act(caller.person_id, body.reason) as act:
        frozen = await service.set_mode(act, mechanism_id, "frozen")
    return MechanismAnswer.model_validate(frozen)


@router.post(f"{PATH}/resume", responses=guarded(*CHANGING))
async def resume(
    mechanism_id: MechanismId, body: Why, deps: Deps, caller: Approver
) -> MechanismAnswer:
    """Let a frozen price mechanism go on."""
    async with deps.act(caller.person_id, body.reason) as act:
        resumed = await service.set_mode(act, mechanism_id, "on")
    return MechanismAnswer.model_validate(resumed)


@router.post(f"{PATH}/retire", responses=guarded(*CHANGING, NotTheDrafterError))
async def retire(
    mechanism_id: MechanismId, body: Why, deps: Deps, caller: Bureau
) -> MechanismAnswer:
    """End a price mechanism for good, or give a draft up; prices stay as they are."""
    async with deps.act(caller.person_id, body.reason) as act:
        retired = await service.retire(act, mechanism_id, may_end=APPROVER in caller.roles)
    return MechanismAnswer.model_validate(retired)


@router.get(f"{PATH}/reviews", responses=guarded(MechanismUnknownError, DatabaseAwayError))
async def reviews(
    mechanism_id: MechanismId,
    ask: Annotated[ReviewsAsk, Query()],
    deps: Deps,
    caller: Reviewer,
) -> Page[ReviewAnswer]:
    """List the recorded executions of a price mechanism, newest first."""
    del caller
    async with deps.database.connection() as db:
        await service.mechanism(db, mechanism_id, include_drafts=True)
        # One more than the page holds tells whether another follows.
        found = await queries.reviews(db, mechanism_id, most=ask.limit + 1, before=ask.cursor)
    page, cursor = cut(found, ask.limit, lambda each: each.number)
    following = next_path(f"/v1/mechanisms/{mechanism_id}/reviews", ask, cursor)
    return Page(items=[ReviewAnswer.model_validate(each) for each in page], next=following)


@router.post(
    f"{PATH}/reviews",
    status_code=CREATED,
    responses=guarded(*CHANGING, MechanismUnfitError),
)
async def review(
    mechanism_id: MechanismId,
    body: Why,
    *,
    deps: Deps,
    prices: CurrentPrices,
    caller: Reviewer,
    response: Response,
) -> ReviewAnswer:
    """Review the prices now: read the history, apply the rule, record what it proposes and why.

    Nothing changes money by itself: a drafter takes a proposal up, and it goes the way of any
    tariff version.
    """
    async with deps.act(caller.person_id, body.reason) as act:
        made = await service.review(act, mechanism_id, prices.calendar)
    response.headers["Location"] = f"/v1/mechanisms/{mechanism_id}/reviews/{made.number}"
    return ReviewAnswer.model_validate(made)


@router.get(
    f"{PATH}/reviews/{{number}}",
    responses=guarded(ReviewUnknownError, DatabaseAwayError),
)
async def one_review(
    mechanism_id: MechanismId, number: Number, _: Nothing, deps: Deps, caller: Reviewer
) -> ReviewAnswer:
    """Give one review: what was read of each time band, the rule, the proposal, and why."""
    del caller
    async with deps.database.connection() as db:
        return ReviewAnswer.model_validate(await service.one_review(db, mechanism_id, number))


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
async def draft_version(
    mechanism_id: MechanismId,
    number: Number,
    body: Why,
    deps: Deps,
    caller: Drafter,
    *,
    response: Response,
) -> BureauVersion:
    """Draft a tariff version with what the newest review proposes, to be submitted and approved."""
    async with deps.act(caller.person_id, body.reason) as act:
        drafted = await service.draft_version(act, mechanism_id, number)
    return created(drafted, response)
