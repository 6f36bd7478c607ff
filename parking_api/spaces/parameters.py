"""What the routes of bays can be asked."""

from typing import Annotated

from pydantic import Field

from parking_api.models import SpaceClass
from parking_api.parameters import Height, Latitude, Longitude, Parameters, Radius


class NearestSpacesAsk(Parameters):
    """Free bays around a place."""

    lon: Longitude
    lat: Latitude
    limit: Annotated[int, Field(ge=1, le=100, description="The most bays to give.")] = 10
    radius_m: Radius = 2000
    space_class: SpaceClass | None = None
    height_m: Height | None = None
