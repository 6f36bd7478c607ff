"""The route of names."""

from collections.abc import Sequence
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Query, Request, Response

from parking_api import worker
from parking_api.coordinates import Crs, from_wgs84, placed
from parking_api.errors import CityLoadingError, public
from parking_api.models import DISTANCE_STEPS, Json, name, point, respond, rounded
from parking_api.places.following import CurrentNames, read_index
from parking_api.places.index import Found
from parking_api.places.models import FoundPlaces, MapPlacesAsk, PlaceColumns, PlacesAsk
from parking_api.places.queries import NamedThing
from parking_api.public_reads import KeptAnswer
from parking_api.resources import Deps

router = APIRouter(tags=["places"])

# Of the place of a label: a metre.
_DIGITS: Final = 5


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


@router.get("/v1/map/places", response_model=PlaceColumns, responses=public())
async def list_map_places(
    ask: Annotated[MapPlacesAsk, Query()], request: Request, names: CurrentNames
) -> Response:
    """Give the city's named places in columns, for the labels of a map; districts and lots apart.

    It changes with the registration alone: keep it, and ask for it again with `If-None-Match`.
    """
    index, written = names.index, names.written
    if index is None:
        raise CityLoadingError
    if ask.crs not in written:
        written[ask.crs] = await worker.off_loop(_columns, index.things, ask.crs)
    return written[ask.crs].answer(request.scope)


def _columns(things: Sequence[NamedThing], crs: Crs) -> KeptAnswer:
    places = [thing for thing in things if thing.kind == "place"]
    at = [from_wgs84(place.longitude, place.latitude, crs) for place in places]
    columns = {
        "place_id": [place.id for place in places],
        "name": {
            "zh": [place.name_zh for place in places],
            "en": [place.name_en for place in places],
        },
        "lon": [round(longitude, _DIGITS) for longitude, _ in at],
        "lat": [round(latitude, _DIGITS) for _, latitude in at],
    }
    return KeptAnswer(orjson.dumps(columns), "application/json")


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
