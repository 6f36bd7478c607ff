"""Routes of what maps draw."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from parking_api.errors import CityLoadingError, described
from parking_api.maps.keeping import CityMaps
from parking_api.maps.models import DistrictCollection, LotColumns, MapAsk
from parking_api.models import GeoJson

router = APIRouter()

PROBLEMS = described(HTTPStatus.UNPROCESSABLE_ENTITY, CityLoadingError)


@router.get("/v1/map", tags=["lots"], response_model=LotColumns, responses=PROBLEMS)
async def get_map(ask: Annotated[MapAsk, Query()], request: Request, maps: CityMaps) -> Response:
    """Give all lots as they are registered, in columns; nothing in it changes with their states.

    It changes with the registration alone: keep it, and ask for it again with `If-None-Match`. What
    changes all day is at `/v1/stream`.
    """
    return (await maps.lots.get(ask.crs)).answer(request.scope)


@router.get(
    "/v1/districts",
    tags=["city"],
    response_class=GeoJson,
    response_model=DistrictCollection,
    responses=PROBLEMS,
)
async def list_districts(
    ask: Annotated[MapAsk, Query()], request: Request, maps: CityMaps
) -> Response:
    """Give the districts as GeoJSON, with outlines that are simplified by some 20 m.

    A border that two share stays one. It changes with the registration alone: keep it, and ask for
    it again with `If-None-Match`.
    """
    return (await maps.districts.get(ask.crs)).answer(request.scope)
