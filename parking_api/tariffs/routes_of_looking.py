"""Routes that look tariffs over and change nothing: lints, and comparisons of versions."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

import pricing
from parking_api.errors import DatabaseAwayError, described
from parking_api.models import respond
from parking_api.parameters import Nothing
from parking_api.people.access import Bureau, SeesAll, guarded
from parking_api.quotes.errors import TariffInvalidError
from parking_api.resources import Deps, Resources
from parking_api.strict_route import StrictRoute
from parking_api.tariffs import answers, comparison, drafting, looking, queries
from parking_api.tariffs.errors import TariffUnknownError
from parking_api.tariffs.key import VERSION_PATH, Number, TariffId
from parking_api.tariffs.models import AppliesTo, CompareAsk, Comparison, Findings, ToLint
from parking_api.tariffs.queries import Key
from parking_api.worker import off_loop

router = APIRouter(tags=["tariffs"], route_class=StrictRoute)

BAD: Final = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY: Final = HTTPStatus.SERVICE_UNAVAILABLE


@router.post("/v1/tariffs/lint", response_model=Findings, responses=guarded(TariffInvalidError))
async def lint(body: ToLint, deps: Deps, caller: Bureau) -> Response:
    """Look a document over that is kept nowhere yet."""
    del caller
    tariff = await off_loop(drafting.checked, body.document)
    return await _lint(deps, tariff, pricing.content_hash(body.document), body.applies_to)


@router.get(
    f"{VERSION_PATH}/lint",
    response_model=Findings,
    responses=guarded(TariffUnknownError, DatabaseAwayError),
)
async def lint_version(
    tariff_id: TariffId, version: Number, _: Nothing, deps: Deps, caller: Bureau
) -> Response:
    """Look a version over: gaps, tiers that never apply, the price control, and more."""
    del caller
    key = Key(tariff_id, version)
    async with deps.database.connection() as connection:
        row = await queries.version(connection, key, deps.clock(), whole=True)
    target = queries.target_of(row)
    return await _lint(deps, queries.tariff_of(row), row["content_hash"], target)


@router.get(
    f"{VERSION_PATH}/compare",
    response_model=Comparison,
    responses=described(TariffUnknownError, BAD, AWAY),
)
async def compare(
    tariff_id: TariffId,
    version: Number,
    ask: Annotated[CompareAsk, Query()],
    deps: Deps,
    sees_all: SeesAll,
) -> Response:
    """Tell what changes from one version to another: in words, and in the fees of some stays."""
    now = deps.clock()
    async with deps.database.connection() as connection:
        before, after = [
            await queries.version(connection, Key(tariff_id, number), now, whole=sees_all)
            for number in (version, ask.to)
        ]
    calendar = deps.prices.calendar
    return respond(await off_loop(comparison.comparison, before, after, now, calendar))


async def _lint(
    deps: Resources, tariff: pricing.Tariff, digest: str, target: AppliesTo | None
) -> Response:
    now = deps.clock()
    async with deps.database.connection() as connection:
        found = await looking.findings(connection, deps.prices, tariff, target, now)
    return respond(answers.findings(digest, found))
