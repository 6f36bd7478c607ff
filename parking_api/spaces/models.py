"""The shapes of requests and answers about bays."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from parking_api.models import DEGRADED, Answer, Count, DataState, Point, SpaceClass, SpaceState
from parking_api.parameters import (
    Form,
    Height,
    InCrs,
    Latitude,
    Longitude,
    Parameters,
    Radius,
    Source,
    SourceAsk,
)

# Base64 of bytes.
Bitmap = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$")] | None


class NearestSpacesAsk(Parameters):
    """Free bays around a place."""

    lon: Longitude
    lat: Latitude
    limit: Annotated[int, Field(ge=1, le=100, description="The most bays to give.")] = 10
    radius_m: Radius = 2000
    space_class: SpaceClass | None = None
    height_m: Height | None = None
    source: Source = "memory"


class NearestSpacesQuery(NearestSpacesAsk, InCrs):
    """The same, with the form of the answer. A question without it is answered in less time."""

    f: Form = "json"


class LotSpacesAsk(SourceAsk, InCrs):
    """The bays of a lot, in one of two forms."""

    f: Annotated[
        Literal["json", "bits"], Field(description="`bits` for the states alone, as bitmaps.")
    ] = "json"


class BayFacts(Answer):
    """What there is to say about a bay, but for its place."""

    space_id: str = Field(examples=["370202-0001-0017"])
    number: int = Field(ge=1, description="The lot's own numbering.", examples=[17])
    level: int = Field(description="0 is street level, -1 the first basement.", examples=[-1])
    space_class: SpaceClass


class NearestSpaceFacts(BayFacts):
    """What there is to say about a free bay near a place, but for its own."""

    lot_id: str = Field(examples=["370202-0001"])
    distance_m: float = Field(ge=0, description="Geodesic, on the spheroid.", examples=[182.437])
    data_state: DataState
    observed_at: AwareDatetime = Field(description="When the lot's state was true.")


class NearestSpace(NearestSpaceFacts):
    """A free bay near a place."""

    location: Point


class NearestSpaceFeature(Answer):
    """A free bay near a place as a GeoJSON feature."""

    type: Literal["Feature"]
    id: str
    geometry: Point
    properties: NearestSpaceFacts


class NearestSpacesEnvelope(Answer):
    """What stands around the free bays near a place."""

    as_of: AwareDatetime | None = Field(
        description="The newest commit that the answer reflects; null before the first."
    )
    degraded: bool = Field(description=DEGRADED)


class NearestSpaces(NearestSpacesEnvelope):
    """Free bays near a place, nearest first."""

    spaces: list[NearestSpace]


class NearestSpaceCollection(NearestSpacesEnvelope):
    """Free bays near a place, nearest first, as a GeoJSON FeatureCollection."""

    type: Literal["FeatureCollection"]
    features: list[NearestSpaceFeature]


class LotSpace(BayFacts):
    """A bay with its state."""

    location: Point
    state: SpaceState


class LotSpacesEnvelope(Answer):
    """What stands around the bays of a lot."""

    data_state: DataState
    observed_at: AwareDatetime | None
    as_of: AwareDatetime | None = Field(description="The commit that the answer reflects.")
    degraded: bool = Field(description=DEGRADED)


class LotSpaces(LotSpacesEnvelope):
    """The bays of a lot, by number; none where the gates count."""

    items: list[LotSpace]
    next: None = Field(description="Always null: all bays are in one answer.")


class SpaceBits(LotSpacesEnvelope):
    """The states of the bays of a lot as bitmaps: what is neither free nor unknown is occupied.

    Bay n is bit (n-1) mod 8 of byte (n-1) div 8, the least significant bit being 0. There are as
    many bytes as the capacity, or the largest number of a bay, takes. A number that no bay has is
    unknown.
    """

    lot_id: str = Field(examples=["370202-0001"])
    capacity: Count = Field(description="Spaces in service.")
    free: Bitmap = Field(
        description="Bays that are free, base64; null where the gates count.", examples=["BgE="]
    )
    unknown: Bitmap = Field(
        description="Bays of which nothing is known; likewise.", examples=["GAA="]
    )
