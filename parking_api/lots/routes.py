"""Routes of lots."""

from http import HTTPStatus
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Response

from parking_api import worker
from parking_api.city.following import CityCopy
from parking_api.clients import LimitedClient
from parking_api.coordinates import placed
from parking_api.errors import (
    CityLoadingError,
    DatabaseAwayError,
    HistoryTooLongError,
    LotRetiredError,
    LotUnknownError,
    described,
)
from parking_api.lots import closing, service
from parking_api.lots.errors import ClosureError
from parking_api.lots.models import (
    MOST_STEPS,
    LotAnswer,
    LotAsk,
    LotChange,
    LotClosure,
    LotPage,
    LotsAsk,
    NearestLots,
    NearestLotsQuery,
    Occupancy,
    OccupancyAsk,
)
from parking_api.lots.stream_models import StreamAsk
from parking_api.lots.streaming import (
    EVENT_STREAM,
    CurrentChanges,
    EventStream,
    TooManyOwnReadersError,
    TooManyReadersError,
)
from parking_api.lots.writing import Answers
from parking_api.models import GEO_JSON, Json, feature, formed, respond
from parking_api.operators.sight import Seen
from parking_api.paging import next_path
from parking_api.parameters import LotId
from parking_api.people.access import allowed, guarded
from parking_api.people.queries import Person
from parking_api.quotes.following import CurrentPrices
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from sql.kinds import OPERATIONS, OPERATOR

router = APIRouter(tags=["lots"], route_class=StrictRoute)

BAD = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY = HTTPStatus.SERVICE_UNAVAILABLE
UNKNOWN = HTTPStatus.NOT_FOUND


@router.get(
    "/v1/nearest",
    response_model=NearestLots,
    responses={
        200: {
            "content": {
                GEO_JSON: {"schema": {"$ref": "#/components/schemas/NearestLotCollection"}}
            },
            "description": "Lots near a place, or with `f=geojson` a FeatureCollection.",
        },
        **described(BAD, AWAY),
    },
)
async def nearest_lots(
    ask: Annotated[NearestLotsQuery, Query()], deps: Deps, answers: Answers, prices: CurrentPrices
) -> Response:
    """Find lots with free spaces, nearest first.

    The order is that of geodesic distance on the spheroid, ties by `lot_id`. Closed lots are left
    out. Lots with stale data are in, and say so; lots of which nothing is known only with
    `min_free=0`.
    """
    now = deps.clock()
    longitude, latitude = ask.place(ask.lon, ask.lat)
    crs, as_features = ask.crs, ask.f == "geojson"
    ask = ask.model_copy(update={"lon": longitude, "lat": latitude})
    if ask.source == "memory":
        body = answers.nearest(ask, now, degraded=deps.database.is_away, lot_type=ask.lot_type)
        if crs == "wgs84" and not as_features:
            return Response(body, media_type="application/json")
        found = orjson.loads(body)
    else:
        stay = ask.stay(now)
        async with deps.database.connection() as db:
            found = await service.nearest_lots(db, ask, stay)
        prices.quote_lots(found["lots"], stay)
    return formed(found, "lots", "lot_id", crs=crs, as_features=as_features)


@router.get(
    "/v1/stream",
    response_class=Response,
    responses={
        200: {
            "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
            "description": "Events `lots`, whose data is a `LotStates`, and `lot`, a `LotState`; "
            "with `f=columns` events `states`, a `StateColumns`.",
        },
        **described(BAD, CityLoadingError, TooManyOwnReadersError, TooManyReadersError),
    },
)
async def stream_lots(
    ask: Annotated[StreamAsk, Query()], changes: CurrentChanges, client: LimitedClient
) -> Response:
    """Tell the changes of lots in a box, around a place, or by name, as server-sent events.

    First comes an event `lots`: the present state of all lots asked for, in place of whatever the
    reader knew. Then an event `lot` for each lot that changes, also where it becomes `stale` or
    `unknown`, opens or closes: at most one a lot and second, with its newest state. Where lots have
    come, gone or moved, `lots` comes again. A comment comes after 15 s without an event.

    With `f=columns` an event `states` has what `lots` has, in columns and without places, and
    another, at most two a second, all lots that have changed.

    The stream ends when the process does; a reader that connects again gets `lots` first, from
    whichever process.
    """
    changes.admit(client)
    return EventStream(changes, ask, client)


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
async def list_lots(
    ask: Annotated[LotsAsk, Query()], deps: Deps, city: CityCopy, prices: CurrentPrices
) -> Response:
    """List lots, page by page, ordered by `lot_id`.

    Filters add up. `next` is the path of the next page, with the same filters and the same stay.
    Where the database is away the page says so with `degraded` and `as_of`.
    """
    stay = ask.stay(deps.clock())
    degraded: Json = {}
    if ask.source == "memory":
        rows, cursor = service.remembered_page(city, ask, stay, deps.clock())
        if deps.database.is_away:
            degraded = {"degraded": True, "as_of": city.as_of}
    else:
        async with deps.database.connection() as db:
            rows, cursor = await service.lots_page(db, ask, stay)
    items = await worker.each(lambda row: service.lot(row, stay), rows)
    prices.quote_lots(items, stay)
    # All pages price one stay, however long somebody takes from one to the next.
    following = next_path("/v1/lots", ask.model_copy(update={"at": stay.start}), cursor)
    envelope = {"stay": service.stay_answer(stay), "next": following} | degraded
    if ask.f == "json":
        written = await worker.written(lambda item: placed(item, ask.crs), items)
        return respond({"items": written} | envelope)
    features = await worker.written(lambda item: feature(placed(item, ask.crs), "lot_id"), items)
    return respond({"type": "FeatureCollection", "features": features} | envelope, GEO_JSON)


@router.get(
    "/v1/lots/{lot_id}",
    response_model=LotAnswer,
    responses=described(UNKNOWN, LotRetiredError, BAD, AWAY),
)
async def get_lot(
    lot_id: LotId,
    ask: Annotated[LotAsk, Query()],
    deps: Deps,
    city: CityCopy,
    prices: CurrentPrices,
) -> Response:
    """Tell everything about one lot, with the price of a stay."""
    stay = ask.stay(deps.clock())
    degraded = False
    if ask.source == "memory":
        row, degraded = service.remembered_lot(city, lot_id, deps.clock()), deps.database.is_away
    else:
        async with deps.database.connection() as db:
            row = await service.one_lot(db, lot_id)
    answer = service.lot(row, stay)
    prices.quote_lots([answer], stay)
    envelope = {"stay": service.stay_answer(stay), "as_of": answer["committed_at"]}
    return respond(placed(answer, ask.crs) | envelope | {"degraded": degraded})


@router.patch(
    "/v1/lots/{lot_id}", responses=guarded(LotUnknownError, ClosureError, DatabaseAwayError)
)
async def change_lot(
    lot_id: LotId,
    body: LotChange,
    deps: Deps,
    caller: Annotated[Person, allowed(OPERATIONS, OPERATOR)],
    seen: Seen,
) -> LotClosure:
    """Close a lot for a time, open it, retire it or take it back; for operations and its operator.

    Only members that are given change; an empty body tells how things stand. Answers, totals and
    feeds know of it within two seconds.
    """
    async with deps.act(caller, body.reason) as act:
        return await closing.change(act, lot_id, body, seen)


@router.get(
    "/v1/lots/{lot_id}/occupancy",
    response_model=Occupancy,
    responses=described(UNKNOWN, BAD, AWAY),
)
async def get_lot_occupancy(
    lot_id: LotId, ask: Annotated[OccupancyAsk, Query()], deps: Deps
) -> Response:
    """Tell the history of one lot, retired or not, on a regular grid: by default the last 24 hours.

    The grid starts at `from`, cut down to a whole `step` counted in UTC from 1970-01-01, and goes
    on while steps start before `to`; at most 10,000 steps. Times are those at which the lot was
    observed. Steps of which nothing is known are there, with nulls and coverage 0.
    """
    start, end = ask.time_range(deps.clock())
    if (end - start).total_seconds() > MOST_STEPS * ask.step:
        raise HistoryTooLongError
    async with deps.database.connection() as db:
        timezone, rows = await service.occupancy(db, lot_id, start, end, ask.step)
    items = await worker.each(lambda row: service.occupancy_step(row, timezone), rows)
    answer = Occupancy(lot_id=lot_id, step_s=ask.step, items=items)
    # Writing 10,000 steps would hold the loop up.
    text = await worker.off_loop(answer.model_dump_json)
    return Response(text, media_type="application/json")
