"""Routes of the whole city, and of operations."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from parking_api.city import answers, queries, readiness
from parking_api.city.schemas import Alive, CityTotals, Ready
from parking_api.errors import CityLoadingError, DatabaseAwayError, described
from parking_api.models import respond
from parking_api.parameters import Nothing
from parking_api.resources import Held, HeldEarly

router = APIRouter()

BAD = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY = HTTPStatus.SERVICE_UNAVAILABLE


@router.get("/v1/city", tags=["city"], response_model=CityTotals, responses=described(BAD, AWAY))
async def city(_: Nothing, held: Held) -> Response:
    """Total the city, and each district."""
    try:
        async with held.database.connection() as connection:
            rows, degraded = await queries.totals(connection), False
    except DatabaseAwayError:
        rows, degraded = held.city.totals(held.clock()), True
    return respond(answers.city(rows, degraded=degraded))


@router.get(
    "/healthz",
    tags=["operations"],
    response_model=Alive,
    responses=described(BAD, CityLoadingError),
)
async def healthz(_: Nothing, held: Held) -> Response:
    """Tell whether this process can answer questions, degraded or not: it has a city.

    Load balancers and reloads go by it.
    """
    del held
    return respond({"status": "alive"})


@router.get(
    "/readyz",
    tags=["operations"],
    response_model=Ready,
    responses=described(BAD, readiness.NotReadyError),
)
async def readyz(_: Nothing, held: HeldEarly) -> Response:
    """Tell whether the platform is whole: database, broker, ingester, and every simulated lot.

    If not, `missing` names the parts.
    """
    return respond({"status": "ready", "lots": await readiness.ready_lots(held)})


@router.get(
    "/metrics",
    tags=["operations"],
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **described(BAD),
    },
)
async def metrics(_: Nothing, held: HeldEarly) -> Response:
    """Give the figures of operations to Prometheus; those of the city are read for it."""
    try:
        async with held.database.connection() as connection:
            rows = await queries.totals(connection)
    except DatabaseAwayError:
        held.metrics.note_database_away()
    else:
        held.metrics.note_city(next(row for row in rows if row["is_city"]), held.clock())
    held.metrics.note_pool(held.database.pool.get_size(), held.database.pool.get_idle_size())
    return Response(held.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
