"""Routes of enrolments."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from parking_api.enrolments import queries, service
from parking_api.enrolments.errors import (
    CodeRefusedError,
    EnrolmentStateError,
    EnrolmentUnknownError,
    NothingToGrantError,
    OwnKeyNeededError,
)
from parking_api.enrolments.models import (
    CompletedEnrolment,
    Completion,
    ConfirmedEnrolment,
    EnrolmentAnswer,
    NewEnrolment,
)
from parking_api.enrolments.service import ENROLMENTS, Enrolling
from parking_api.errors import described
from parking_api.models import Page, Why
from parking_api.paging import PageAsk, page
from parking_api.parameters import Nothing
from parking_api.people.access import KeyLifetime, MaybeKnown, allowed, guarded, taking
from parking_api.people.errors import (
    CredentialRefusedError,
    NotStandingError,
    OperatorUnknownError,
    PersonExistsError,
    PersonUnknownError,
)
from parking_api.people.queries import Person
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from parking_api.workflow import SamePersonError
from sql.kinds import APPROVER, OPERATIONS

router = APIRouter(tags=["people"], route_class=StrictRoute)

CREATED: Final = HTTPStatus.CREATED
PATH: Final = "/v1/enrolments/{enrolment_id}"
EnrolmentId = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$", examples=["5d1c07a3e9f2"])]


async def _unstored(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


@router.get("/v1/enrolments", responses=guarded())
async def list_enrolments(
    ask: Annotated[PageAsk, Query()],
    _: Annotated[Person, allowed(OPERATIONS, APPROVER)],
    deps: Deps,
) -> Page[EnrolmentAnswer]:
    """List enrolments, page by page, by `enrolment_id`; for operations and approvers."""
    async with deps.database.connection() as db:
        found = await queries.enrolments(db, most=ask.limit + 1, after=ask.cursor or "")
    return page("/v1/enrolments", ask, ask.limit, found, lambda each: each.enrolment_id)


@router.post(
    "/v1/enrolments",
    status_code=CREATED,
    responses=guarded(
        SamePersonError,
        PersonUnknownError,
        PersonExistsError,
        NothingToGrantError,
        OperatorUnknownError,
    ),
)
async def start_enrolment(
    new: NewEnrolment,
    caller: Annotated[Person, taking(ENROLMENTS, "start", by_key=True)],
    _: Nothing,
    deps: Deps,
) -> EnrolmentAnswer:
    """Start the enrolment of a new person, or of further roles or a new key for one who is there.

    For operations, with a key. Nothing is granted before a second person has confirmed it.
    """
    async with deps.act(caller, new.reason) as act:
        return await service.start(act, new)


@router.post(
    f"{PATH}/confirm",
    dependencies=[Depends(_unstored)],
    responses=guarded(
        EnrolmentUnknownError, EnrolmentStateError, SamePersonError, NotStandingError
    ),
)
async def confirm_enrolment(
    enrolment_id: EnrolmentId,
    body: Why,
    caller: Annotated[Person, taking(ENROLMENTS, "confirm", by_key=True)],
    _: Nothing,
    deps: Deps,
) -> ConfirmedEnrolment:
    """Confirm an enrolment that somebody else has started; the answer has its one-time code.

    For operations and approvers, with a key. Make sure who the person is, and give them the code
    yourself. Again, it makes a new code, and the one before is good no more.
    """
    async with deps.act(caller, body.reason) as act:
        confirmed, code = await service.confirm(act, enrolment_id)
    return ConfirmedEnrolment(**confirmed.model_dump(), code=code)


@router.post(
    f"{PATH}/complete",
    dependencies=[Depends(_unstored)],
    # Not everybody who completes one has a key yet.
    openapi_extra={"security": [{}]},
    responses=described(
        CredentialRefusedError,
        CodeRefusedError,
        OwnKeyNeededError,
        NotStandingError,
        PersonExistsError,
        OperatorUnknownError,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def complete_enrolment(
    enrolment_id: EnrolmentId,
    body: Completion,
    caller: MaybeKnown,
    _: Nothing,
    deps: Deps,
    lifetime: KeyLifetime,
) -> CompletedEnrolment:
    """Complete one's own enrolment with its one-time code; the key is shown this once.

    Whoever gets further roles shows a key of theirs beside the code, and gets no new one.
    """
    async with deps.database.connection() as db:
        tried = await service.try_code(db, enrolment_id, body.code, caller, deps.clock())
    async with deps.act(Enrolling(tried.person_id), None) as act:
        return await service.complete(act, enrolment_id, tried, lifetime)


@router.post(f"{PATH}/withdraw", responses=guarded(EnrolmentUnknownError, EnrolmentStateError))
async def withdraw_enrolment(
    enrolment_id: EnrolmentId,
    body: Why,
    caller: Annotated[Person, taking(ENROLMENTS, "withdraw")],
    _: Nothing,
    deps: Deps,
) -> EnrolmentAnswer:
    """Withdraw an enrolment that is not completed; for operations."""
    async with deps.act(caller, body.reason) as act:
        return await service.withdraw(act, enrolment_id)
