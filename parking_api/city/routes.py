"""Routes of the whole city, and of operations."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from parking_api.answers import respond
from parking_api.city import answers, queries
from parking_api.city.schemas import Alive, CityTotals, Ready
from parking_api.errors import DatabaseAwayError, described
from parking_api.parameters import Nothing
from parking_api.resources import Held

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


@router.get("/healthz", tags=["operations"], response_model=Alive, responses=described(BAD))
async def healthz(_: Nothing) -> Response:
    """Tell that the process lives, whatever else does."""
    return respond({"status": "alive"})


@router.get("/readyz", tags=["operations"], response_model=Ready, responses=described(BAD, AWAY))
async def readyz(_: Nothing, held: Held) -> Response:
    """Tell whether the city is whole: every lot loaded, every simulated one heard from."""
    async with held.database.connection() as connection:
        return respond({"status": "ready", "lots": await queries.ready_lots(connection)})


@router.get(
    "/metrics",
    tags=["operations"],
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **described(BAD),
    },
)
async def metrics(_: Nothing, held: Held) -> Response:
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
