"""Routes of bays."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from parking_api.errors import described
from parking_api.models import respond
from parking_api.parameters import LotId, Nothing
from parking_api.resources import Deps
from parking_api.spaces import service
from parking_api.spaces.models import LotSpaces, NearestSpaces, NearestSpacesAsk

router = APIRouter(tags=["spaces"])

BAD = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY = HTTPStatus.SERVICE_UNAVAILABLE
UNKNOWN = HTTPStatus.NOT_FOUND


@router.get("/v1/spaces/nearest", response_model=NearestSpaces, responses=described(BAD, AWAY))
async def nearest_spaces(ask: Annotated[NearestSpacesAsk, Query()], deps: Deps) -> Response:
    """Find single free bays, nearest first.

    The order is that of geodesic distance on the spheroid, ties (such as bays stacked on several
    levels) by `lot_id` and `number`. Only lots that sense their bays, are open, and whose feed is
    live or stale.
    """
    async with deps.database.connection() as db:
        return respond(await service.nearest_spaces(db, ask))


@router.get(
    "/v1/lots/{lot_id}/spaces",
    response_model=LotSpaces,
    responses=described(UNKNOWN, BAD, AWAY),
)
async def lot_spaces(lot_id: LotId, _: Nothing, deps: Deps) -> Response:
    """Tell the state of each bay of one lot; none for a lot that counts at its gates."""
    async with deps.database.connection() as db:
        return respond(await service.lot_spaces(db, lot_id))
