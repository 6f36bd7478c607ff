"""Routes of tariffs: their versions, step by step, and looks over them."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

import pricing
from parking_api.errors import DatabaseAwayError, described
from parking_api.models import Page, Why
from parking_api.paging import cut, next_path
from parking_api.parameters import Nothing
from parking_api.people.access import Approver, Bureau, Drafter, SeesAll, guarded
from parking_api.people.queries import Person
from parking_api.price_controls.errors import PriceControlError
from parking_api.price_controls.service import Target
from parking_api.quotes.errors import LeavesUnpricedError, TariffInvalidError
from parking_api.quotes.following import CurrentPrices, FollowedPrices
from parking_api.quotes.models import UnpricedLots
from parking_api.resources import Deps, Resources
from parking_api.strict_route import StrictRoute
from parking_api.tariffs import queries, service
from parking_api.tariffs.comparison import comparison
from parking_api.tariffs.documents import checked
from parking_api.tariffs.errors import (
    EffectiveTimesError,
    EffectsOverlapError,
    TargetUnknownError,
    TariffExistsError,
    TariffUnknownError,
    VersionStateError,
)
from parking_api.tariffs.key import VERSION_PATH, Key, TariffId, VersionKey
from parking_api.tariffs.models import (
    BureauVersion,
    CompareAsk,
    Comparison,
    EffectiveVersion,
    Finding,
    Findings,
    NewTariff,
    NewVersion,
    Publication,
    Schedule,
    Submission,
    SubmittedVersion,
    TariffsAsk,
    ToLint,
    VersionAnswer,
    VersionFacts,
    Withdrawal,
)
from parking_api.tariffs.queries import Version
from parking_api.worker import off_loop
from parking_api.workflow import NotTheDrafterError, SamePersonError

router = APIRouter(tags=["tariffs"], route_class=StrictRoute)

BAD: Final = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY: Final = HTTPStatus.SERVICE_UNAVAILABLE
APPROVER: Final = "bureau_approver"


@router.get("/v1/tariffs", responses=described(BAD, AWAY))
async def tariffs(
    ask: Annotated[TariffsAsk, Query()], deps: Deps, sees_all: SeesAll
) -> Page[VersionFacts]:
    """List tariff versions, page by page; the bureau sees those that are not published too."""
    after_tariff, _, after_version = (ask.cursor or "").rpartition("~")
    async with deps.database.connection() as db:
        rows = await queries.versions(
            db,
            deps.clock(),
            tariff_id=ask.tariff,
            state=ask.state,
            zone=ask.zone,
            lot_type=ask.lot_type,
            lot=ask.lot,
            include_drafts=sees_all,
            after_tariff=after_tariff or None,
            after_version=int(after_version or 0),
            # One more than the page holds tells whether another follows.
            most=ask.limit + 1,
        )
    found, cursor = cut(rows, ask.limit, lambda last: f"{last.tariff_id}~{last.version}")
    items = [VersionFacts.model_validate(each) for each in found]
    return Page(items=items, next=next_path("/v1/tariffs", ask, cursor))


@router.post(
    "/v1/tariffs",
    status_code=HTTPStatus.CREATED,
    responses=guarded(TariffInvalidError, TargetUnknownError, TariffExistsError, DatabaseAwayError),
)
async def new_tariff(
    body: NewTariff, deps: Deps, caller: Drafter, response: Response
) -> BureauVersion:
    """Draft a tariff, its version 1. Every fault of the document is told at once, with its path."""
    async with deps.act(caller.person_id, body.reason) as act:
        drafted = await service.draft_tariff(act, body)
    return created(drafted, response)


@router.post(
    "/v1/tariffs/{tariff_id}/versions",
    status_code=HTTPStatus.CREATED,
    responses=guarded(
        TariffInvalidError, TargetUnknownError, TariffUnknownError, DatabaseAwayError
    ),
)
async def new_version(
    tariff_id: TariffId, body: NewVersion, deps: Deps, caller: Drafter, response: Response
) -> BureauVersion:
    """Draft a further version of a tariff. Rolling back is one that copies an earlier one."""
    async with deps.act(caller.person_id, body.reason) as act:
        drafted = await service.draft_version(act, tariff_id, body)
    return created(drafted, response)


def created(drafted: Version, response: Response) -> BureauVersion:
    """Answer with a version that was drafted, and where it is."""
    path = VERSION_PATH.format(tariff_id=drafted.tariff_id, version=drafted.version)
    response.headers["Location"] = path
    return BureauVersion.model_validate(drafted)


@router.get(VERSION_PATH, responses=described(TariffUnknownError, BAD, AWAY))
async def version(
    key: VersionKey, _: Nothing, deps: Deps, sees_all: SeesAll
) -> BureauVersion | VersionAnswer:
    """Give one version with its document; to the bureau, with who did what."""
    async with deps.database.connection() as db:
        found = await service.version(db, key, deps.clock(), include_drafts=sees_all)
    return (BureauVersion if sees_all else VersionAnswer).model_validate(found)


@router.put(
    VERSION_PATH,
    responses=guarded(
        TariffInvalidError,
        TargetUnknownError,
        TariffUnknownError,
        NotTheDrafterError,
        VersionStateError,
        DatabaseAwayError,
    ),
)
async def change(key: VersionKey, body: NewTariff, deps: Deps, caller: Drafter) -> BureauVersion:
    """Write one's own draft anew."""
    async with deps.act(caller.person_id, body.reason) as act:
        changed = await service.change_draft(act, key, body)
    return BureauVersion.model_validate(changed)


@router.post(
    f"{VERSION_PATH}/submit",
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
    key: VersionKey, body: Submission, deps: Deps, caller: Drafter
) -> SubmittedVersion:
    """Hand one's own draft in for review: from here on it is immutable.

    Beyond the price control it is refused, with each clause that it breaks: by the controls in
    force now and those to come, or of the time that `effective_from` and `effective_to` name.
    What else would stand in the way of publishing it then is told. Publishing looks again.
    """
    async with deps.act(caller.person_id, body.reason) as act:
        submitted, conflicts, unpriced = await service.submit(act, key, body)
    facts = BureauVersion.model_validate(submitted).model_dump()
    return SubmittedVersion(**facts, conflicts=conflicts, unpriced=unpriced)


@router.post(
    f"{VERSION_PATH}/approve",
    responses=guarded(TariffUnknownError, SamePersonError, VersionStateError, DatabaseAwayError),
)
async def approve(key: VersionKey, body: Why, deps: Deps, caller: Approver) -> BureauVersion:
    """Approve what is in review. It takes another person than the drafter; of two at once, one."""
    async with deps.act(caller.person_id, body.reason) as act:
        approved = await service.approve(act, key)
    return BureauVersion.model_validate(approved)


PUBLISHING: Final = (
    TariffUnknownError,
    EffectiveTimesError,
    VersionStateError,
    PriceControlError,
    EffectsOverlapError,
    LeavesUnpricedError,
    DatabaseAwayError,
)


@router.post(f"{VERSION_PATH}/schedule", responses=guarded(*PUBLISHING))
async def schedule(
    key: VersionKey, body: Schedule, deps: Deps, prices: CurrentPrices, caller: Approver
) -> EffectiveVersion:
    """Publish an approved version ahead of the time that it comes into force.

    The version before it ends then. Beyond the price control it is refused, with the clause; and
    where lots lose their price by it, unless `leaves_unpriced` is said.
    """
    return await _publish(key, body, deps, prices, caller, start=body.effective_from)


@router.post(f"{VERSION_PATH}/publish", responses=guarded(*PUBLISHING))
async def publish(
    key: VersionKey, body: Publication, deps: Deps, prices: CurrentPrices, caller: Approver
) -> EffectiveVersion:
    """Publish an approved version, in force at once; else as `schedule`."""
    return await _publish(key, body, deps, prices, caller)


async def _publish(
    key: Key,
    body: Publication | Schedule,
    deps: Resources,
    prices: FollowedPrices,
    caller: Person,
    *,
    start: datetime | None = None,
) -> EffectiveVersion:
    async with deps.act(caller.person_id, body.reason) as act:
        published, unpriced = await service.publish(
            act,
            key,
            start or act.at,
            body.effective_to,
            leaves_unpriced=body.leaves_unpriced,
        )
    return await _effective(prices, published, unpriced)


async def _effective(
    prices: FollowedPrices, version: Version, unpriced: UnpricedLots
) -> EffectiveVersion:
    """Price by what was changed, and answer with it."""
    await prices.reload()
    facts = BureauVersion.model_validate(version).model_dump()
    return EffectiveVersion(**facts, unpriced=unpriced)


@router.post(
    f"{VERSION_PATH}/withdraw",
    responses=guarded(
        TariffUnknownError,
        NotTheDrafterError,
        VersionStateError,
        LeavesUnpricedError,
        DatabaseAwayError,
    ),
)
async def withdraw(
    key: VersionKey, body: Withdrawal, deps: Deps, prices: CurrentPrices, caller: Bureau
) -> EffectiveVersion:
    """Withdraw a version.

    One that is scheduled never comes into force, and the one before goes on; one in force ends
    now, and where lots lose their price by that, it is refused unless `leaves_unpriced` is said. A
    drafter withdraws their own, until it is published; an approver any.
    """
    async with deps.act(caller.person_id, body.reason) as act:
        withdrawn, unpriced = await service.withdraw(
            act,
            key,
            may_end=APPROVER in caller.roles,
            leaves_unpriced=body.leaves_unpriced,
        )
    return await _effective(prices, withdrawn, unpriced)


@router.post("/v1/tariffs/lint", responses=guarded(TariffInvalidError))
async def lint(body: ToLint, deps: Deps, prices: CurrentPrices, caller: Bureau) -> Findings:
    """Look a document over that is kept nowhere yet."""
    del caller
    tariff = await off_loop(checked, body.document)
    return await _lint(deps, prices, tariff, pricing.content_hash(body.document), body.applies_to)


@router.get(f"{VERSION_PATH}/lint", responses=guarded(TariffUnknownError, DatabaseAwayError))
async def lint_version(
    key: VersionKey, _: Nothing, deps: Deps, prices: CurrentPrices, caller: Bureau
) -> Findings:
    """Look a version over: gaps, tiers that never apply, the price control, and more."""
    del caller
    async with deps.database.connection() as db:
        found = await service.version(db, key, deps.clock(), include_drafts=True)
    return await _lint(deps, prices, found.tariff, found.content_hash, found)


async def _lint(
    deps: Resources,
    prices: FollowedPrices,
    tariff: pricing.Tariff,
    digest: str,
    target: Target | None,
) -> Findings:
    async with deps.database.connection() as db:
        found = await service.findings(db, prices, tariff, target, deps.clock())
    return Findings(hash=digest, findings=[Finding.of(each) for each in found])


@router.get(f"{VERSION_PATH}/compare", responses=described(TariffUnknownError, BAD, AWAY))
async def compare(
    key: VersionKey,
    ask: Annotated[CompareAsk, Query()],
    deps: Deps,
    prices: CurrentPrices,
    sees_all: SeesAll,
) -> Comparison:
    """Tell what changes from one version to another: in words, and in the fees of some stays."""
    now = deps.clock()
    async with deps.database.connection() as db:
        before, after = [
            await service.version(db, each, now, include_drafts=sees_all)
            for each in (key, Key(key.tariff_id, ask.to))
        ]
    return await off_loop(comparison, before, after, now, prices.calendar)
