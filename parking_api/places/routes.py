"""The route of names."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from parking_api import worker
from parking_api.coordinates import placed
from parking_api.errors import CityLoadingError, public
from parking_api.models import DISTANCE_STEPS, Json, name, point, respond, rounded
from parking_api.places.following import CurrentNames, read_index
from parking_api.places.index import Found
from parking_api.places.models import FoundPlaces, PlacesAsk
from parking_api.resources import Deps

router = APIRouter(tags=["places"])


@router.get("/v1/places", response_model=FoundPlaces, responses=public())
async def find_places(
    ask: Annotated[PlacesAsk, Query()], deps: Deps, names: CurrentNames
) -> Response:
    """Find places, districts and lots by their names, in Chinese, pinyin or English.

    With a point the nearest come first; without one those whose names fit best. Take the `location`
    of one to `/v1/nearest`.
    """
    near = None
    if ask.lon is not None and ask.lat is not None:
        near = ask.place(ask.lon, ask.lat)
    if ask.source == "memory":
        index, degraded = names.index, deps.database.is_away
    else:
        async with deps.database.connection() as db:
            index, degraded = await read_index(db), False
    if index is None:
        raise CityLoadingError
    # Each name is looked at: some milliseconds.
    found = await worker.off_loop(index.find, ask.q, near, ask.limit)
    items = [placed(_item(each), ask.crs) for each in found]
    return respond({"items": items, "next": None, "degraded": degraded})


def _item(found: Found) -> Json:
    thing, distance_m = found.thing, found.distance_m
    return {
        "kind": thing.kind,
        "id": thing.id,
        "name": name(thing),
        "district": thing.district,
        "location": point(thing),
        "distance_m": rounded(distance_m, DISTANCE_STEPS),
    }
