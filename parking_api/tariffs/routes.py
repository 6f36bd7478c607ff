"""Routes of tariffs: their versions, step by step, and looks over them."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

import pricing
from parking_api.decisions import service as decisions
from parking_api.decisions.models import AskedDecision
from parking_api.errors import DatabaseAwayError
from parking_api.models import Page, Why
from parking_api.paging import page
from parking_api.parameters import Nothing
from parking_api.people.access import SeesAll, for_bureau, guarded, public_with_login, taking
from parking_api.people.errors import NotStandingError
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
    WithdrawalOf,
)
from parking_api.tariffs.service import VERSIONS, WITHDRAWAL
from parking_api.worker import off_loop
from parking_api.workflow import NotTheDrafterError, SamePersonError

router = APIRouter(tags=["tariffs"], route_class=StrictRoute)


@router.get("/v1/tariffs", responses=public_with_login())
async def list_tariffs(
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
    # Written are the fields of VersionFacts alone.
    return page(
        "/v1/tariffs", ask, ask.limit, list(rows), lambda last: f"{last.tariff_id}~{last.version}"
    )


@router.post(
    "/v1/tariffs",
    status_code=HTTPStatus.CREATED,
    responses=guarded(TariffInvalidError, TargetUnknownError, TariffExistsError, DatabaseAwayError),
)
async def draft_tariff(
    body: NewTariff,
    deps: Deps,
    caller: Annotated[Person, taking(VERSIONS, "draft")],
    response: Response,
) -> BureauVersion:
    """Draft a tariff, its version 1.

    The answer names every fault of the document at once, each with its path.
    """
    async with deps.act(caller, body.reason) as act:
        return created(await service.draft_tariff(act, body), response)


@router.post(
    "/v1/tariffs/{tariff_id}/versions",
    status_code=HTTPStatus.CREATED,
    responses=guarded(
        TariffInvalidError, TargetUnknownError, TariffUnknownError, DatabaseAwayError
    ),
)
async def draft_version(
    tariff_id: TariffId,
    body: NewVersion,
    deps: Deps,
    caller: Annotated[Person, taking(VERSIONS, "draft")],
    response: Response,
) -> BureauVersion:
    """Draft a further version of a tariff. Rolling back is one that copies an earlier one."""
    async with deps.act(caller, body.reason) as act:
        return created(await service.draft_version(act, tariff_id, body), response)


def created(drafted: BureauVersion, response: Response) -> BureauVersion:
    """Answer with a version that was drafted, and where it is."""
    path = VERSION_PATH.format(tariff_id=drafted.tariff_id, version=drafted.version)
    response.headers["Location"] = path
    return drafted


@router.get(VERSION_PATH, responses=public_with_login(TariffUnknownError))
async def get_version(
    key: VersionKey, _: Nothing, deps: Deps, sees_all: SeesAll
) -> BureauVersion | VersionAnswer:
    """Give one version with its document; to the bureau, with who did what."""
    async with deps.database.connection() as db:
        found = await service.version(db, key, deps.clock(), include_drafts=sees_all)
    return found if sees_all else VersionAnswer.part_of(found)


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
async def change_version(
    key: VersionKey,
    body: NewTariff,
    deps: Deps,
    caller: Annotated[Person, taking(VERSIONS, "change")],
) -> BureauVersion:
    """Write one's own draft anew."""
    async with deps.act(caller, body.reason) as act:
        return await service.change_draft(act, key, body)


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
async def submit_version(
    key: VersionKey,
    body: Submission,
    deps: Deps,
    caller: Annotated[Person, taking(VERSIONS, "submit")],
) -> SubmittedVersion:
    """Hand one's own draft in for review: from here on it is immutable.

    Beyond the price control it is refused, with each clause that it breaks: by the controls in
    force now and those to come, or of the time that `effective_from` and `effective_to` name.
    The answer names what else would stand in the way of publishing it then. Publishing looks again.
    """
    async with deps.act(caller, body.reason) as act:
        submitted, conflicts, unpriced = await service.submit(act, key, body)
    return SubmittedVersion.model_construct(
        **dict(submitted), conflicts=conflicts, unpriced=unpriced
    )


@router.post(
    f"{VERSION_PATH}/approve",
    responses=guarded(
        TariffUnknownError,
        SamePersonError,
        NotStandingError,
        VersionStateError,
        DatabaseAwayError,
    ),
)
async def approve_version(
    key: VersionKey, body: Why, deps: Deps, caller: Annotated[Person, taking(VERSIONS, "approve")]
) -> BureauVersion:
    """Approve what is in review. It takes another person than the drafter; of two at once, one."""
    async with deps.act(caller, body.reason) as act:
        return await service.approve(act, key)


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
async def schedule_version(
    key: VersionKey,
    body: Schedule,
    deps: Deps,
    prices: CurrentPrices,
    caller: Annotated[Person, taking(VERSIONS, "publish")],
) -> EffectiveVersion:
    """Publish an approved version ahead of the time that it comes into force.

    The version before it ends then. Beyond the price control it is refused, with the clause; and
    where lots lose their price by it, unless `leaves_unpriced` is true.
    """
    return await _publish(key, body, deps, prices, caller, start=body.effective_from)


@router.post(f"{VERSION_PATH}/publish", responses=guarded(*PUBLISHING))
async def publish_version(
    key: VersionKey,
    body: Publication,
    deps: Deps,
    prices: CurrentPrices,
    caller: Annotated[Person, taking(VERSIONS, "publish")],
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
    async with deps.act(caller, body.reason) as act:
        published, unpriced = await service.publish(act, key, start or act.at, body)
    return await _effective(prices, published, unpriced)


async def _effective(
    prices: FollowedPrices, version: BureauVersion, unpriced: UnpricedLots
) -> EffectiveVersion:
    """Price by what was changed, and answer with it."""
    await prices.reload()
    return EffectiveVersion.model_construct(**dict(version), unpriced=unpriced)


@router.post(
    f"{VERSION_PATH}/withdraw",
    responses={
        HTTPStatus.ACCEPTED: {
            "model": AskedDecision,
            "description": "It is published: another person has to confirm it.",
        },
        **guarded(
            TariffUnknownError,
            NotTheDrafterError,
            VersionStateError,
            LeavesUnpricedError,
            DatabaseAwayError,
        ),
    },
)
async def withdraw_version(
    key: VersionKey,
    body: Withdrawal,
    deps: Deps,
    response: Response,
    caller: Annotated[Person, taking(VERSIONS, "withdraw")],
) -> BureauVersion | AskedDecision:
    """Withdraw a version.

    One that was never published is given up at once: by its drafter, or an approver. To withdraw a
    published one takes two persons: the answer is 202 with the decision, which another person
    confirms (`/v1/decisions`). A scheduled one then never comes into force, and the one before goes
    on; one in force ends then, and where lots lose their price by that, it is refused unless
    `leaves_unpriced` is true.
    """
    async with deps.act(caller, body.reason) as act:
        found = await service.version(act.db, key, act.at, include_drafts=True)
        if found.stage != "published":
            return await service.withdraw(act, key)
        response.status_code = HTTPStatus.ACCEPTED
        given = WithdrawalOf(
            tariff_id=key.tariff_id, version=key.version, leaves_unpriced=body.leaves_unpriced
        )
        return await decisions.ask(act, WITHDRAWAL, key.subject, given)


@router.post(
    "/v1/tariffs/lint", dependencies=[Depends(for_bureau)], responses=guarded(TariffInvalidError)
)
async def lint_tariff(body: ToLint, deps: Deps, prices: CurrentPrices) -> Findings:
    """Look a document over that is kept nowhere yet."""
    tariff = await off_loop(checked, body.document)
    return await _lint(deps, prices, tariff, pricing.content_hash(body.document), body.applies_to)


@router.get(
    f"{VERSION_PATH}/lint",
    dependencies=[Depends(for_bureau)],
    responses=guarded(TariffUnknownError, DatabaseAwayError),
)
async def lint_version(key: VersionKey, _: Nothing, deps: Deps, prices: CurrentPrices) -> Findings:
    """Look a version over: gaps, tiers that never apply, the price control, and more."""
    async with deps.database.connection() as db:
        found = await service.version(db, key, deps.clock(), include_drafts=True)
    return await _lint(deps, prices, found.tariff, found.hash, found.applies_to)


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


@router.get(f"{VERSION_PATH}/compare", responses=public_with_login(TariffUnknownError))
async def compare_versions(
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
