"""Routes of bays."""

from http import HTTPStatus
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Response

from parking_api.city.following import CityCopy
from parking_api.coordinates import placed
from parking_api.errors import LotRetiredError, described
from parking_api.models import GEO_JSON, formed, respond
from parking_api.parameters import LotId
from parking_api.resources import Deps
from parking_api.spaces import service
from parking_api.spaces.models import (
    LotSpaces,
    LotSpacesAsk,
    NearestSpaces,
    NearestSpacesQuery,
    SpaceBits,
)
from parking_api.spaces.writing import BayAnswers

router = APIRouter(tags=["spaces"])

BAD = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY = HTTPStatus.SERVICE_UNAVAILABLE
UNKNOWN = HTTPStatus.NOT_FOUND


@router.get(
    "/v1/spaces/nearest",
    response_model=NearestSpaces,
    responses={
        200: {
            "content": {
                GEO_JSON: {"schema": {"$ref": "#/components/schemas/NearestSpaceCollection"}}
            },
            "description": "Free bays near a place, or with `f=geojson` a FeatureCollection.",
        },
        **described(BAD, AWAY),
    },
)
async def nearest_spaces(
    ask: Annotated[NearestSpacesQuery, Query()], deps: Deps, answers: BayAnswers
) -> Response:
    """Find single free bays, nearest first.

    The order is that of geodesic distance on the spheroid, ties (such as bays stacked on several
    levels) by `lot_id` and `number`. Only lots that sense their bays, are open, and whose feed is
    live or stale.
    """
    longitude, latitude = ask.place(ask.lon, ask.lat)
    crs, as_features = ask.crs, ask.f == "geojson"
    ask = ask.model_copy(update={"lon": longitude, "lat": latitude})
    if ask.source == "memory":
        body = answers.nearest(ask, deps.clock(), degraded=deps.database.is_away)
        if crs == "wgs84" and not as_features:
            return Response(body, media_type="application/json")
        found = orjson.loads(body)
    else:
        async with deps.database.connection() as db:
            found = await service.nearest_spaces(db, ask)
    return formed(found, "spaces", "space_id", crs=crs, as_features=as_features)


@router.get(
    "/v1/lots/{lot_id}/spaces",
    response_model=LotSpaces | SpaceBits,
    responses=described(UNKNOWN, LotRetiredError, BAD, AWAY),
)
async def get_lot_spaces(
    lot_id: LotId, ask: Annotated[LotSpacesAsk, Query()], deps: Deps, city: CityCopy
) -> Response:
    """Tell the state of each bay of one lot; none for a lot that counts at its gates.

    With `f=bits` the states alone come as bitmaps: for whoever has the bays already.
    """
    if ask.source == "memory":
        found = service.remembered_bays(
            city, ask, lot_id, deps.clock(), degraded=deps.database.is_away
        )
    else:
        async with deps.database.connection() as db:
            found = await service.lot_spaces(db, ask, lot_id)
    return respond(placed(found, ask.crs))
