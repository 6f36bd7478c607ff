"""Routes of tariffs and their versions."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from parking_api.audit import Action, Connection
from parking_api.errors import DatabaseAwayError, described
from parking_api.models import Json, Why, respond
from parking_api.paging import next_path
from parking_api.parameters import Nothing
from parking_api.people.access import Approver, Bureau, Drafter, SeesAll, guarded
from parking_api.price_controls.errors import PriceControlError
from parking_api.quotes.errors import LeavesUnpricedError, TariffInvalidError
from parking_api.resources import Deps, Resources
from parking_api.strict_route import StrictRoute
from parking_api.tariffs import answers, drafting, queries, service
from parking_api.tariffs.errors import (
    EffectiveTimesError,
    EffectsOverlapError,
    TargetUnknownError,
    TariffExistsError,
    TariffUnknownError,
    VersionStateError,
)
from parking_api.tariffs.key import VERSION_PATH, Number, TariffId
from parking_api.tariffs.models import (
    BureauVersion,
    EffectiveVersion,
    NewTariff,
    NewVersion,
    Publication,
    Schedule,
    Submission,
    SubmittedVersion,
    TariffsAsk,
    VersionAnswer,
    VersionPage,
    Withdrawal,
)
from parking_api.tariffs.queries import Key
from parking_api.workflow import NotTheDrafterError, SamePersonError

router = APIRouter(tags=["tariffs"], route_class=StrictRoute)

BAD: Final = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY: Final = HTTPStatus.SERVICE_UNAVAILABLE
APPROVER: Final = "bureau_approver"


@router.get("/v1/tariffs", response_model=VersionPage, responses=described(BAD, AWAY))
async def tariffs(ask: Annotated[TariffsAsk, Query()], deps: Deps, sees_all: SeesAll) -> Response:
    """List tariff versions, page by page; the bureau sees those that are not published too."""
    async with deps.database.connection() as connection:
        rows, cursor = await queries.page(connection, ask, deps.clock(), whole=sees_all)
    following = next_path("/v1/tariffs", ask, cursor)
    return respond({"items": [answers.facts(row) for row in rows], "next": following})


@router.post(
    "/v1/tariffs",
    status_code=HTTPStatus.CREATED,
    response_model=BureauVersion,
    responses=guarded(TariffInvalidError, TargetUnknownError, TariffExistsError, DatabaseAwayError),
)
async def new_tariff(body: NewTariff, deps: Deps, caller: Drafter) -> Response:
    """Draft a tariff, its version 1. Every fault of the document is told at once, with its path."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        key = await drafting.draft_tariff(connection, body, act)
        told = await _told(deps, connection, key)
    return _created(told)


@router.post(
    "/v1/tariffs/{tariff_id}/versions",
    status_code=HTTPStatus.CREATED,
    response_model=BureauVersion,
    responses=guarded(
        TariffInvalidError, TargetUnknownError, TariffUnknownError, DatabaseAwayError
    ),
)
async def new_version(
    tariff_id: TariffId, body: NewVersion, deps: Deps, caller: Drafter
) -> Response:
    """Draft a further version of a tariff. Rolling back is one that copies an earlier one."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        key = await drafting.draft_version(connection, tariff_id, body, act)
        told = await _told(deps, connection, key)
    return _created(told)


@router.get(
    VERSION_PATH, response_model=VersionAnswer, responses=described(TariffUnknownError, BAD, AWAY)
)
async def version(
    tariff_id: TariffId, version: Number, _: Nothing, deps: Deps, sees_all: SeesAll
) -> Response:
    """Give one version with its document; to the bureau, with who did what."""
    key = Key(tariff_id, version)
    async with deps.database.connection() as connection:
        row = await queries.version(connection, key, deps.clock(), whole=sees_all)
    return respond(answers.version(row, whole=sees_all))


@router.put(
    VERSION_PATH,
    response_model=BureauVersion,
    responses=guarded(
        TariffInvalidError,
        TargetUnknownError,
        TariffUnknownError,
        NotTheDrafterError,
        VersionStateError,
        DatabaseAwayError,
    ),
)
async def change(
    tariff_id: TariffId, version: Number, body: NewTariff, deps: Deps, caller: Drafter
) -> Response:
    """Write one's own draft anew."""
    act, key = Action(caller.person_id, deps.clock(), body.reason), Key(tariff_id, version)
    async with deps.database.transaction() as connection:
        await drafting.change(connection, key, body, act)
        told = await _told(deps, connection, key)
    return respond(told)


@router.post(
    f"{VERSION_PATH}/submit",
    response_model=SubmittedVersion,
    responses=guarded(
        TariffUnknownError,
        NotTheDrafterError,
        VersionStateError,
        EffectiveTimesError,
        PriceControlError,
        DatabaseAwayError,
    ),
)
async def submit(
    tariff_id: TariffId, version: Number, body: Submission, deps: Deps, caller: Drafter
) -> Response:
    """Hand one's own draft in for review: from here on it is immutable.

    Beyond the price control it is refused, with each clause that it breaks: by the controls in
    force now and those to come, or of the time that `effective_from` and `effective_to` name.
    What else would stand in the way of publishing it then is told. Publishing looks again.
    """
    act, key = Action(caller.person_id, deps.clock(), body.reason), Key(tariff_id, version)
    async with deps.database.transaction() as connection:
        conflicts, unpriced = await service.submit(connection, key, body, act)
        told = await _told(deps, connection, key)
    return respond(told | {"conflicts": conflicts, "unpriced": unpriced.model_dump(by_alias=True)})


@router.post(
    f"{VERSION_PATH}/approve",
    response_model=BureauVersion,
    responses=guarded(TariffUnknownError, SamePersonError, VersionStateError, DatabaseAwayError),
)
async def approve(
    tariff_id: TariffId, version: Number, body: Why, deps: Deps, caller: Approver
) -> Response:
    """Approve what is in review. It takes another person than the drafter; of two at once, one."""
    act, key = Action(caller.person_id, deps.clock(), body.reason), Key(tariff_id, version)
    async with deps.database.transaction() as connection:
        await service.approve(connection, key, act)
        told = await _told(deps, connection, key)
    return respond(told)


PUBLISHING: Final = (
    TariffUnknownError,
    EffectiveTimesError,
    VersionStateError,
    PriceControlError,
    EffectsOverlapError,
    LeavesUnpricedError,
    DatabaseAwayError,
)


@router.post(
    f"{VERSION_PATH}/schedule", response_model=EffectiveVersion, responses=guarded(*PUBLISHING)
)
async def schedule(
    tariff_id: TariffId, version: Number, body: Schedule, deps: Deps, caller: Approver
) -> Response:
    """Publish an approved version ahead of the time that it comes into force.

    The version before it ends then. Beyond the price control it is refused, with the clause; and
    where lots lose their price by it, unless `leaves_unpriced` is said.
    """
    act, key = Action(caller.person_id, deps.clock(), body.reason), Key(tariff_id, version)
    async with deps.database.transaction() as connection:
        unpriced = await service.publish(
            connection,
            key,
            body.effective_from,
            body.effective_to,
            act,
            leaves_unpriced=body.leaves_unpriced,
        )
        told = await _told(deps, connection, key)
    await deps.prices.reload()
    return respond(told | {"unpriced": unpriced.model_dump(by_alias=True)})


@router.post(
    f"{VERSION_PATH}/publish", response_model=EffectiveVersion, responses=guarded(*PUBLISHING)
)
async def publish(
    tariff_id: TariffId, version: Number, body: Publication, deps: Deps, caller: Approver
) -> Response:
    """Publish an approved version, in force at once; else as `schedule`."""
    act, key = Action(caller.person_id, deps.clock(), body.reason), Key(tariff_id, version)
    async with deps.database.transaction() as connection:
        unpriced = await service.publish(
            connection, key, act.at, body.effective_to, act, leaves_unpriced=body.leaves_unpriced
        )
        told = await _told(deps, connection, key)
    await deps.prices.reload()
    return respond(told | {"unpriced": unpriced.model_dump(by_alias=True)})


@router.post(
    f"{VERSION_PATH}/withdraw",
    response_model=EffectiveVersion,
    responses=guarded(
        TariffUnknownError,
        NotTheDrafterError,
        VersionStateError,
        LeavesUnpricedError,
        DatabaseAwayError,
    ),
)
async def withdraw(
    tariff_id: TariffId, version: Number, body: Withdrawal, deps: Deps, caller: Bureau
) -> Response:
    """Withdraw a version.

    One that is scheduled never comes into force, and the one before goes on; one in force ends
    now, and where lots lose their price by that, it is refused unless `leaves_unpriced` is said. A
    drafter withdraws their own, until it is published; an approver any.
    """
    act, key = Action(caller.person_id, deps.clock(), body.reason), Key(tariff_id, version)
    async with deps.database.transaction() as connection:
        unpriced = await service.withdraw(
            connection,
            key,
            act,
            may_end=APPROVER in caller.roles,
            leaves_unpriced=body.leaves_unpriced,
        )
        told = await _told(deps, connection, key)
    await deps.prices.reload()
    return respond(told | {"unpriced": unpriced.model_dump(by_alias=True)})


async def _told(deps: Resources, connection: Connection, key: Key) -> Json:
    row = await queries.version(connection, key, deps.clock(), whole=True)
    return answers.version(row, whole=True)


def _created(told: Json) -> Response:
    answer = respond(told)
    answer.status_code = HTTPStatus.CREATED
    answer.headers["Location"] = f"/v1/tariffs/{told['tariff_id']}/versions/{told['version']}"
    return answer
