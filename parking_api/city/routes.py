"""Routes of the whole city, and of operations."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from parking_api.city import queries, readiness, service
from parking_api.city.following import CityCopy
from parking_api.city.models import Alive, CityTotals, Condition, Ready
from parking_api.errors import CityLoadingError, DatabaseAwayError, described
from parking_api.languages import preferred
from parking_api.models import respond
from parking_api.parameters import Nothing, Sourced
from parking_api.people.access import allowed, guarded
from parking_api.people.queries import Person
from parking_api.resources import Deps, EarlyDeps
from sql.kinds import OPERATIONS

router = APIRouter()

BAD = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY = HTTPStatus.SERVICE_UNAVAILABLE


@router.get("/v1/city", tags=["city"], response_model=CityTotals, responses=described(BAD, AWAY))
async def get_city(ask: Sourced, deps: Deps, copy: CityCopy) -> Response:
    """Total the city, and each district."""
    if ask.source == "memory":
        totals = service.remembered_totals(copy, deps.clock())
        return respond(service.city(totals, degraded=deps.database.is_away))
    async with deps.database.connection() as db:
        return respond(service.city(await queries.totals(db), degraded=False))


@router.get("/healthz", tags=["operations"], responses=described(BAD, CityLoadingError))
async def get_health(_: Nothing, deps: Deps) -> Alive:
    """Tell whether this process can answer questions, degraded or not: it has a city.

    Load balancers and reloads go by it.
    """
    del deps
    return Alive()


@router.get("/readyz", tags=["operations"], responses=described(BAD, readiness.NotReadyError))
async def get_readiness(_: Nothing, deps: EarlyDeps, copy: CityCopy) -> Ready:
    """Tell whether the platform is whole: database, broker, ingester, and every simulated lot.

    If not, `missing` names the parts.
    """
    return Ready(lots=await readiness.ready_lots(deps, copy))


@router.get("/v1/operations", tags=["operations"], responses=guarded())
async def get_operations(
    _: Nothing,
    __: Annotated[Person, allowed(OPERATIONS)],
    deps: EarlyDeps,
    copy: CityCopy,
    request: Request,
) -> Condition:
    """Tell what is missing of the platform, how it fares, and its last hour; for operations.

    It answers 200 whatever is missing, but for what it takes to know who is asking.
    """
    language = preferred(request.headers.get("accept-language", ""))
    return await readiness.condition(deps, copy, request.app.state.hour, language)


@router.get(
    "/metrics",
    tags=["operations"],
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **described(BAD),
    },
)
async def get_metrics(_: Nothing, deps: EarlyDeps, request: Request) -> Response:
    """Give the figures of operations to Prometheus; those of the city are read for it."""
    try:
        async with deps.database.connection() as db:
            rows = await queries.totals(db)
    except DatabaseAwayError:
        deps.metrics.note_database_away()
    else:
        service.note(deps.metrics, rows, deps.clock())
    request.app.state.note_process()
    return Response(deps.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
