"""The shapes of requests and answers about bays."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from parking_api.models import Answer, DataState, Point, SpaceClass, SpaceState
from parking_api.parameters import Height, Latitude, Longitude, Parameters, Radius


class NearestSpacesAsk(Parameters):
    """Free bays around a place."""

    lon: Longitude
    lat: Latitude
    limit: Annotated[int, Field(ge=1, le=100, description="The most bays to give.")] = 10
    radius_m: Radius = 2000
    space_class: SpaceClass | None = None
    height_m: Height | None = None


class Bay(Answer):
    """One bay."""

    space_id: str = Field(examples=["370202-0001-0017"])
    number: int = Field(ge=1, description="The lot's own numbering.", examples=[17])
    level: int = Field(description="0 is street level, -1 the first basement.", examples=[-1])
    space_class: SpaceClass
    location: Point


class NearestSpace(Bay):
    """A free bay near a place."""

    lot_id: str = Field(examples=["370202-0001"])
    distance_m: float = Field(ge=0, description="Geodesic, on the spheroid.", examples=[182.437])
    data_state: DataState
    observed_at: AwareDatetime = Field(description="When the lot's state was true.")


class NearestSpaces(Answer):
    """Free bays near a place, nearest first."""

    spaces: list[NearestSpace]
    as_of: AwareDatetime | None = Field(
        description="The newest commit that the answer reflects; null before the first."
    )


class LotSpace(Bay):
    """A bay with its state."""

    state: SpaceState


class LotSpaces(Answer):
    """The bays of a lot, by number; none where the gates count."""

    items: list[LotSpace]
    next: None = Field(description="Always null: all bays are in one answer.")
    data_state: DataState
    observed_at: AwareDatetime | None
    as_of: AwareDatetime | None = Field(description="The commit that the answer reflects.")
