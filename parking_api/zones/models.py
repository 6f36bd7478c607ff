"""The shapes of requests and answers about zones."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from parking_api.geometry import (
    GeometryError,
    multipolygon_ewkb,
    read_multipolygon,
)
from parking_api.models import (
    Answer,
    Body,
    Feature,
    FeatureCollection,
    FromJson,
    Instant,
    JsonObject,
    Page,
    Reason,
    StoredName,
    Text,
)
from parking_api.parameters import Id, InCrs, Moment
from parking_api.quotes.models import LeavesUnpriced, UnpricedLots

State = Literal["draft", "published", "withdrawn"]
ZoneClass = Annotated[
    StrictInt, Field(ge=1, le=3, description="1 一类, 2 二类, 3 三类: from the centre outwards.")
]
GEOMETRY_EXAMPLE = {
    "type": "Polygon",
    "coordinates": [
        [
            [120.352, 36.082],
            [120.366, 36.082],
            [120.366, 36.092],
            [120.352, 36.092],
            [120.352, 36.082],
        ]
    ],
}


@dataclass(frozen=True)
class Drawing:
    """A geometry as PostGIS takes it, or what is wrong with it."""

    ewkb: bytes = b""
    fault: str | None = None


def drawing(geometry: object) -> Drawing:
    """Read what was drawn, which may take some time: it may have many corners."""
    if not isinstance(geometry, dict):
        return Drawing(fault="is no GeoJSON geometry")
    try:
        return Drawing(multipolygon_ewkb(read_multipolygon(geometry)))
    except GeometryError as error:
        return Drawing(fault=str(error))


def _faultless(given: object) -> Drawing:
    drawn = given if isinstance(given, Drawing) else drawing(given)
    if drawn.fault is not None:
        raise PydanticCustomError("geometry", "{why}", {"why": drawn.fault})
    return drawn


class ZoneBody(Body):
    """A zone as it is drawn."""

    name: Text
    zone_class: ZoneClass = Field(examples=[1])
    valid_from: Moment = Field(examples=["2027-01-01T00:00:00+08:00"])
    valid_to: Moment | None = Field(None, description="Exclusive; null for no end.")
    replaces: tuple[Id, ...] = Field(
        (),
        max_length=100,
        description="Zones that end when this one begins.",
        examples=[["qd-370203-2"]],
    )
    geometry: Annotated[
        Drawing,
        PlainValidator(_faultless, json_schema_input_type=JsonObject),
        Field(
            description="GeoJSON Polygon or MultiPolygon, longitude and latitude in WGS 84.",
            examples=[GEOMETRY_EXAMPLE],
        ),
    ]
    reason: Reason

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError("valid_from lies before valid_to")
        return self


class NewZone(ZoneBody):
    """A zone to draft."""

    zone_id: Id = Field(examples=["qd-taidong"])


class ZonePublication(Body):
    """What is published together: neighbours that are drawn anew take over at once."""

    also: tuple[Id, ...] = Field((), max_length=100, description="Further drafts.")
    leaves_unpriced: LeavesUnpriced = False
    reason: Reason


class ZoneCheckAsk(Body):
    """What a draft would be published together with."""

    also: tuple[Id, ...] = Field((), max_length=100, description="Further drafts.")


class EndOf(Body):
    """A published zone to be ended, as a decision has it."""

    zone_id: Id
    valid_to: Moment
    leaves_unpriced: LeavesUnpriced = False


class ZoneEnd(Body):
    """When a zone ends."""

    valid_to: Moment = Field(examples=["2027-06-30T00:00:00+08:00"])
    leaves_unpriced: LeavesUnpriced = False
    reason: Reason


class ZonesAsk(InCrs):
    """Zones as of a time."""

    at: Annotated[Moment | None, Field(description="Default now.")] = None


class ZoneFacts(Answer):
    """What there is to say about a zone."""

    zone_id: str
    name: StoredName
    zone_class: ZoneClass
    valid_from: Instant
    valid_to: Instant | None = Field(description="Exclusive; null for no end yet.")


class PublishedZone(ZoneFacts):
    """A zone that was published, in force now or not."""

    @property
    def state(self) -> State:
        """The state that its draft is in."""
        return "published"


class DrawnZone(ZoneFacts):
    """A zone with its ground: a GeoJSON geometry, degrees in WGS 84."""

    geometry: Annotated[JsonObject, FromJson]


class ZoneFeature(Feature[ZoneFacts]):
    """A zone as a GeoJSON feature."""


class ZoneCollection(FeatureCollection[ZoneFeature]):
    """Zones as a GeoJSON FeatureCollection, by `zone_id`."""

    as_of: Instant


class DraftFacts(ZoneFacts):
    """What there is to say about the draft of a zone."""

    replaces: list[str]
    state: State
    drafted_by: str
    drafted_at: Instant
    published_by: str | None
    published_at: Instant | None


class DrawnDraft(DraftFacts):
    """The draft of a zone with its ground: its area in square metres, a digest of its corners."""

    area_m2: float
    ground: str
    geometry: Annotated[JsonObject, FromJson]


class ZoneDraft(Feature[DraftFacts]):
    """The draft of a zone as a GeoJSON feature."""


class PublishedZones(Page[DraftFacts]):
    """What was published, and what came of it."""

    unpriced: UnpricedLots


class EndedZone(ZoneFacts):
    """A zone that ends, and what comes of it."""

    unpriced: UnpricedLots


class ZoneOverlap(Answer):
    """A zone that a draft would overlap."""

    zone_id: str = Field(validation_alias="other_id")
    area_m2: Annotated[float, AfterValidator(lambda area: round(area, 1))]
    since: Instant
    message: str


class ZoneCheck(Answer):
    """What would come of publishing a draft."""

    overlaps: list[ZoneOverlap]
    lots: int = Field(description="Lots that would belong to it.")
    unpriced: UnpricedLots = Field(
        description="Lots that would lose their price: it is published with `leaves_unpriced` then."
    )
