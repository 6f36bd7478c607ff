"""Routes of price mechanisms and their reviews."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from parking_api.audit import Action
from parking_api.errors import DatabaseAwayError, described
from parking_api.mechanisms import answers, reviewing, service
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
    Mechanisms,
    NewMechanism,
    ReviewAnswer,
    Reviews,
    ReviewsAsk,
)
from parking_api.models import Why, respond
from parking_api.paging import cut, next_path
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people.access import Approver, Bureau, Drafter, SeesAll, allowed, guarded
from parking_api.people.queries import Person
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from parking_api.tariffs import answers as tariff_answers
from parking_api.tariffs import queries as tariff_queries
from parking_api.tariffs.errors import NotTheDrafterError
from parking_api.tariffs.models import BureauVersion
from parking_api.workflow import SamePersonError
from sql.named import named

router = APIRouter(tags=["mechanisms"], route_class=StrictRoute)

BAD: Final = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY: Final = HTTPStatus.SERVICE_UNAVAILABLE
APPROVER: Final = "bureau_approver"
PATH: Final = "/v1/mechanisms/{mechanism_id}"

MechanismId = Annotated[str, Path(pattern=ID_PATTERN, examples=["taidong-road"])]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[1])]
Reviewer = Annotated[Person, allowed("bureau_drafter", "bureau_approver", "operations")]


@router.get("/v1/mechanisms", response_model=Mechanisms, responses=described(BAD, AWAY))
async def mechanisms(_: Nothing, deps: Deps, sees_all: SeesAll) -> Response:
    """List the price mechanisms; the bureau sees drafts too."""
    async with deps.database.connection() as connection:
        rows = await connection.fetch(named("mechanism_list"), None, sees_all)
    return respond({"items": [answers.mechanism(row) for row in rows], "next": None})


@router.post(
    "/v1/mechanisms",
    status_code=HTTPStatus.CREATED,
    response_model=MechanismAnswer,
    responses=guarded(MechanismExistsError, MechanismUnfitError, DatabaseAwayError),
)
async def new(body: NewMechanism, deps: Deps, caller: Drafter) -> Response:
    """Draft a price mechanism; it reviews nothing until it is approved."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await service.draft(connection, body.mechanism, act)
    answer = respond(answers.mechanism(row))
    answer.status_code = HTTPStatus.CREATED
    answer.headers["Location"] = f"/v1/mechanisms/{row['mechanism_id']}"
    return answer


@router.get(
    PATH, response_model=MechanismAnswer, responses=described(MechanismUnknownError, BAD, AWAY)
)
async def mechanism(
    mechanism_id: MechanismId, _: Nothing, deps: Deps, sees_all: SeesAll
) -> Response:
    """Give one price mechanism: whose prices it moves, when, by what rule, within what limits."""
    async with deps.database.connection() as connection:
        row = await service.mechanism(connection, mechanism_id, whole=sees_all)
    return respond(answers.mechanism(row))


@router.put(
    PATH,
    response_model=MechanismAnswer,
    responses=guarded(
        MechanismUnknownError,
        MechanismStateError,
        MechanismUnfitError,
        NotTheDrafterError,
        DatabaseAwayError,
    ),
)
async def change(
    mechanism_id: MechanismId, body: NewMechanism, deps: Deps, caller: Drafter
) -> Response:
    """Write one's own draft anew."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await service.change(connection, mechanism_id, body.mechanism, act)
    return respond(answers.mechanism(row))


@router.post(
    f"{PATH}/approve",
    response_model=MechanismAnswer,
    responses=guarded(
        MechanismUnknownError,
        MechanismStateError,
        MechanismUnfitError,
        MechanismsOverlapError,
        SamePersonError,
        DatabaseAwayError,
    ),
)
async def approve(mechanism_id: MechanismId, body: Why, deps: Deps, caller: Approver) -> Response:
    """Approve a price mechanism, once; each version that comes of it is approved as any other.

    It takes another person than the drafter, a tariff that prices just this zone and these lot
    types with a period for each time band, and limits within the price control.
    """
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await service.approve(connection, mechanism_id, act)
    return respond(answers.mechanism(row))


CHANGING: Final = (MechanismUnknownError, MechanismStateError, DatabaseAwayError)


@router.post(f"{PATH}/freeze", response_model=MechanismAnswer, responses=guarded(*CHANGING))
async def freeze(mechanism_id: MechanismId, body: Why, deps: Deps, caller: Approver) -> Response:
    """Freeze a price mechanism: its reviews propose nothing until it is resumed."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await service.set_mode(connection, mechanism_id, "frozen", act)
    return respond(answers.mechanism(row))


@router.post(f"{PATH}/resume", response_model=MechanismAnswer, responses=guarded(*CHANGING))
async def resume(mechanism_id: MechanismId, body: Why, deps: Deps, caller: Approver) -> Response:
    """Let a frozen price mechanism go on."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await service.set_mode(connection, mechanism_id, "on", act)
    return respond(answers.mechanism(row))


@router.post(
    f"{PATH}/retire",
    response_model=MechanismAnswer,
    responses=guarded(*CHANGING, NotTheDrafterError),
)
async def retire(mechanism_id: MechanismId, body: Why, deps: Deps, caller: Bureau) -> Response:
    """End a price mechanism for good, or give a draft up; prices stay as they are."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await service.retire(connection, mechanism_id, act, may_end=APPROVER in caller.roles)
    return respond(answers.mechanism(row))


@router.get(
    f"{PATH}/reviews",
    response_model=Reviews,
    responses=guarded(MechanismUnknownError, DatabaseAwayError),
)
async def reviews(
    mechanism_id: MechanismId,
    ask: Annotated[ReviewsAsk, Query()],
    deps: Deps,
    caller: Reviewer,
) -> Response:
    """List the recorded executions of a price mechanism, newest first."""
    del caller
    async with deps.database.connection() as connection:
        await service.mechanism(connection, mechanism_id, whole=True)
        # One more than the page holds tells whether another follows.
        rows = await reviewing.reviews(
            connection, mechanism_id, before=ask.cursor, limit=ask.limit + 1
        )
    found, cursor = cut(rows, ask.limit, "number")
    following = next_path(f"/v1/mechanisms/{mechanism_id}/reviews", ask, cursor)
    return respond({"items": [answers.review(row) for row in found], "next": following})


@router.post(
    f"{PATH}/reviews",
    status_code=HTTPStatus.CREATED,
    response_model=ReviewAnswer,
    responses=guarded(*CHANGING, MechanismUnfitError),
)
async def review(mechanism_id: MechanismId, body: Why, deps: Deps, caller: Reviewer) -> Response:
    """Review the prices now: read the history, apply the rule, record what it proposes and why.

    Nothing changes money by itself: a drafter takes a proposal up, and it goes the way of any
    tariff version.
    """
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await reviewing.review(connection, mechanism_id, deps.prices.calendar, act)
    answer = respond(answers.review(row))
    answer.status_code = HTTPStatus.CREATED
    answer.headers["Location"] = f"/v1/mechanisms/{mechanism_id}/reviews/{row['number']}"
    return answer


@router.get(
    f"{PATH}/reviews/{{number}}",
    response_model=ReviewAnswer,
    responses=guarded(ReviewUnknownError, DatabaseAwayError),
)
async def one_review(
    mechanism_id: MechanismId, number: Number, _: Nothing, deps: Deps, caller: Reviewer
) -> Response:
    """Give one review: what was read of each time band, the rule, the proposal, and why."""
    del caller
    async with deps.database.connection() as connection:
        row = await reviewing.one_review(connection, mechanism_id, number)
    return respond(answers.review(row))


@router.post(
    f"{PATH}/reviews/{{number}}/draft",
    status_code=HTTPStatus.CREATED,
    response_model=BureauVersion,
    responses=guarded(
        MechanismUnknownError,
        ReviewUnknownError,
        ReviewStateError,
        MechanismUnfitError,
        DatabaseAwayError,
    ),
)
async def draft_version(
    mechanism_id: MechanismId, number: Number, body: Why, deps: Deps, caller: Drafter
) -> Response:
    """Draft a tariff version with what the newest review proposes, to be submitted and approved."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        key = await reviewing.draft_version(connection, mechanism_id, number, act)
        row = await tariff_queries.version(connection, key, act.at, whole=True)
    answer = respond(tariff_answers.version(row, whole=True))
    answer.status_code = HTTPStatus.CREATED
    answer.headers["Location"] = f"/v1/tariffs/{key.tariff_id}/versions/{key.version}"
    return answer
