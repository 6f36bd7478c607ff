"""The shapes of requests for, and answers with, things that have a name."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from parking_api.models import DEGRADED, Answer, Name, Point
from parking_api.parameters import InCrs, Latitude, Longitude, SourceAsk
from parking_api.places.queries import Kind


class PlacesAsk(SourceAsk, InCrs):
    """A name, or a part of one; and where the asker is."""

    q: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
        Field(
            description="Chinese, pinyin with or without spaces, the initials of its pinyin, or "
            "English; or a part of it.",
            examples=["五四广场", "wusiguangchang", "wsgc", "may fourth"],
        ),
    ]
    lon: Longitude | None = None
    lat: Latitude | None = None
    limit: Annotated[int, Field(ge=1, le=100, description="The most to give.")] = 10

    @model_validator(mode="after")
    def _a_whole_place(self) -> Self:
        if (self.lon is None) != (self.lat is None):
            raise ValueError("lon and lat go together")
        return self


class MapPlacesAsk(InCrs):
    """The named places for a map, in its coordinates."""


class PlaceNames(Answer):
    """What people call places, a column for each language."""

    zh: list[str] = Field(examples=[["五四广场"]])
    en: list[str] = Field(examples=[["May Fourth Square"]])


class PlaceColumns(Answer):
    """The city's named places in columns: the nth value of each is of the nth place."""

    place_id: list[str] = Field(description="In their order.")
    name: PlaceNames
    lon: list[float] = Field(description="Degrees in `crs`, to 5 decimals.", examples=[[120.3826]])
    lat: list[float] = Field(description="Likewise.", examples=[[36.0671]])


class FoundPlace(Answer):
    """Something that has a name."""

    kind: Kind
    id: str = Field(description="`place_id`, the district's code, or `lot_id`.")
    name: Name
    district: str | None = Field(description="Code (adcode).", examples=["370202"])
    location: Point = Field(description="Of a district a point inside it.")
    distance_m: float | None = Field(
        ge=0, description="Geodesic, from the point that was given; null where none was."
    )


class FoundPlaces(Answer):
    """What has such a name: the nearest first where a point is given, else the most alike."""

    items: list[FoundPlace]
    next: None = Field(None, description="Always null: ask for a longer name.")
    degraded: bool = Field(description=DEGRADED)
