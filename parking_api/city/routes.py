"""Routes of the whole city, and of operations."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from parking_api.city import queries, readiness, service
from parking_api.city.models import Alive, CityTotals, Ready
from parking_api.errors import CityLoadingError, DatabaseAwayError, described
from parking_api.lots.following import CityCopy
from parking_api.models import respond
from parking_api.parameters import Nothing
from parking_api.resources import Deps, EarlyDeps

router = APIRouter()

BAD = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY = HTTPStatus.SERVICE_UNAVAILABLE


@router.get("/v1/city", tags=["city"], response_model=CityTotals, responses=described(BAD, AWAY))
async def city(_: Nothing, deps: Deps, copy: CityCopy) -> Response:
    """Total the city, and each district."""
    try:
        async with deps.database.connection() as db:
            totals = await queries.totals(db)
    except DatabaseAwayError:
        recalled = service.remembered_totals(copy, deps.clock())
        return respond(service.city(recalled, degraded=True))
    return respond(service.city(totals, degraded=False))


@router.get(
    "/healthz",
    tags=["operations"],
    response_model=Alive,
    responses=described(BAD, CityLoadingError),
)
async def healthz(_: Nothing, deps: Deps) -> Response:
    """Tell whether this process can answer questions, degraded or not: it has a city.

    Load balancers and reloads go by it.
    """
    del deps
    return respond({"status": "alive"})


@router.get(
    "/readyz",
    tags=["operations"],
    response_model=Ready,
    responses=described(BAD, readiness.NotReadyError),
)
async def readyz(_: Nothing, deps: EarlyDeps, copy: CityCopy) -> Response:
    """Tell whether the platform is whole: database, broker, ingester, and every simulated lot.

    If not, `missing` names the parts.
    """
    return respond({"status": "ready", "lots": await readiness.ready_lots(deps, copy)})


@router.get(
    "/metrics",
    tags=["operations"],
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **described(BAD),
    },
)
async def metrics(_: Nothing, deps: EarlyDeps) -> Response:
    """Give the figures of operations to Prometheus; those of the city are read for it."""
    try:
        async with deps.database.connection() as db:
            rows = await queries.totals(db)
    except DatabaseAwayError:
        deps.metrics.note_database_away()
    else:
        service.note(deps.metrics, rows, deps.clock())
    deps.metrics.note_pool(deps.database.pool.get_size(), deps.database.pool.get_idle_size())
    return Response(deps.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
