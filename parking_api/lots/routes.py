"""Routes of lots."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from parking_api import worker
from parking_api.errors import DatabaseAwayError, HistoryTooLongError, described
from parking_api.lots import service
from parking_api.lots.following import CityCopy
from parking_api.lots.models import (
    MOST_STEPS,
    LotAnswer,
    LotAsk,
    LotPage,
    LotsAsk,
    NearestLots,
    NearestLotsAsk,
    Occupancy,
    OccupancyAsk,
)
from parking_api.models import GEO_JSON, Json, respond
from parking_api.paging import next_path
from parking_api.parameters import LotId
from parking_api.quotes.following import CurrentPrices
from parking_api.resources import Deps

router = APIRouter(tags=["lots"])

BAD = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY = HTTPStatus.SERVICE_UNAVAILABLE
UNKNOWN = HTTPStatus.NOT_FOUND


@router.get("/v1/nearest", response_model=NearestLots, responses=described(BAD, AWAY))
async def nearest(
    ask: Annotated[NearestLotsAsk, Query()], deps: Deps, city: CityCopy, prices: CurrentPrices
) -> Response:
    """Find lots with free spaces, nearest first.

    The order is that of geodesic distance on the spheroid, ties by `lot_id`. Closed lots are left
    out. Lots with stale data are in, and say so; lots of which nothing is known only with
    `min_free=0`.
    """
    stay = ask.stay(deps.clock())
    try:
        async with deps.database.connection() as db:
            found = await service.nearest_lots(db, ask, stay)
    except DatabaseAwayError:
        found = city.nearest_lots(ask, stay, deps.clock())
    prices.quote_lots(found["lots"], stay)
    return respond(found)


@router.get(
    "/v1/lots",
    response_model=LotPage,
    responses={
        200: {
            "content": {GEO_JSON: {"schema": {"$ref": "#/components/schemas/LotCollection"}}},
            "description": "A page of lots, or with `f=geojson` a FeatureCollection.",
        },
        **described(BAD, AWAY),
    },
)
async def lots(
    ask: Annotated[LotsAsk, Query()], deps: Deps, city: CityCopy, prices: CurrentPrices
) -> Response:
    """List lots, page by page, ordered by `lot_id`.

    Filters add up. `next` is the path of the next page, with the same filters and the same stay.
    Where the database is away the page comes from memory, and says so with `degraded` and `as_of`.
    """
    stay = ask.stay(deps.clock())
    recalled: Json = {}
    try:
        async with deps.database.connection() as db:
            rows, cursor = await service.lots_page(db, ask, stay)
    except DatabaseAwayError:
        rows, cursor = city.lots_page(ask, stay, deps.clock())
        recalled = {"degraded": True, "as_of": city.as_of()}
    items = await worker.each(lambda row: service.lot(row, stay), rows)
    prices.quote_lots(items, stay)
    # All pages price one stay, however long somebody takes from one to the next.
    following = next_path("/v1/lots", ask.model_copy(update={"at": stay.start}), cursor)
    envelope = {"stay": service.stay_answer(stay), "next": following} | recalled
    if ask.f == "json":
        return respond({"items": await worker.written(lambda item: item, items)} | envelope)
    features = await worker.written(service.feature, items)
    return respond({"type": "FeatureCollection", "features": features} | envelope, GEO_JSON)


@router.get("/v1/lots/{lot_id}", response_model=LotAnswer, responses=described(UNKNOWN, BAD, AWAY))
async def lot(
    lot_id: LotId,
    ask: Annotated[LotAsk, Query()],
    deps: Deps,
    city: CityCopy,
    prices: CurrentPrices,
) -> Response:
    """Tell everything about one lot, with the price of a stay."""
    stay = ask.stay(deps.clock())
    try:
        async with deps.database.connection() as db:
            row, degraded = await service.one_lot(db, lot_id), False
    except DatabaseAwayError:
        row, degraded = city.lot(lot_id, deps.clock()), True
    answer = service.lot(row, stay)
    prices.quote_lots([answer], stay)
    envelope = {"stay": service.stay_answer(stay), "as_of": answer["committed_at"]}
    return respond(answer | envelope | {"degraded": degraded})


@router.get(
    "/v1/lots/{lot_id}/occupancy",
    response_model=Occupancy,
    responses=described(UNKNOWN, BAD, AWAY),
)
async def occupancy(lot_id: LotId, ask: Annotated[OccupancyAsk, Query()], deps: Deps) -> Response:
    """Tell the history of one lot on a regular grid, by default of the last 24 hours.

    The grid starts at `from`, cut down to a whole `step` counted in UTC from 1970-01-01, and goes
    on while steps start before `to`; at most 10,000 steps. Times are those at which the lot was
    observed. Steps of which nothing is known are there, with nulls and coverage 0.
    """
    start, end = ask.time_range(deps.clock())
    if (end - start).total_seconds() > MOST_STEPS * ask.step:
        raise HistoryTooLongError
    async with deps.database.connection() as db:
        timezone, rows = await service.occupancy(db, lot_id, start, end, ask.step)
    items = await worker.written(lambda row: service.occupancy_step(row, timezone), rows)
    return respond({"lot_id": lot_id, "step_s": ask.step, "items": items, "next": None})
