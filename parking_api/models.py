"""The shapes that several domains share, of answers and of bodies of requests."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Final, Generic, Literal, TypeVar
from zoneinfo import ZoneInfo

import orjson
from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    StringConstraints,
    WithJsonSchema,
)

from sql import kinds

GEO_JSON = "application/geo+json"

# Finer than any position is known; and half of it stays within 0.5 % from 0.1 m on.
DISTANCE_DIGITS = 3
# Tenths of a second: more is noise of the clocks.
AGE_DIGITS = 1

DataState = kinds.DataState
LotStatus = kinds.LotStatus
LotType = kinds.LotType
Reporting = kinds.Reporting
SpaceClass = kinds.SpaceClass
SpaceState = kinds.SpaceState

Count = Annotated[int, Field(ge=0)]

Json = dict[str, Any]


class Answer(BaseModel):
    """A shape that answers have; made from rows too, whose columns are named as its fields are."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        from_attributes=True,
        validate_by_name=True,
        validate_by_alias=True,
    )


class Name(Answer):
    """What people call it."""

    zh: str = Field(examples=["五四广场地下停车场"])
    en: str = Field(examples=["May Fourth Square Underground"])


class Named:
    """A row that has the columns `name_zh` and `name_en`."""

    __slots__ = ()
    name_zh: str
    name_en: str

    @property
    def name(self) -> Name:
        """The name in both languages."""
        return Name(zh=self.name_zh, en=self.name_en)


class Placed:
    """A row that has the columns `longitude` and `latitude`, degrees in WGS 84."""

    __slots__ = ()
    longitude: float
    latitude: float


Instant = Annotated[
    AwareDatetime,
    # With its own offset: pydantic writes UTC as Z.
    PlainSerializer(datetime.isoformat, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
Item = TypeVar("Item")
Facts = TypeVar("Facts", bound=Answer)
AFeature = TypeVar("AFeature", bound=Answer)


class Page(Answer, Generic[Item]):
    """A list, or a page of one."""

    items: list[Item]
    next: str | None = Field(None, description="Path of the next page, or null.")


class Feature(Answer, Generic[Facts]):
    """Something with its ground, as a GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: dict[str, Any]
    properties: Facts


class FeatureCollection(Answer, Generic[AFeature]):
    """Features, as a GeoJSON FeatureCollection."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[AFeature]


class GeoJson(JSONResponse):
    """An answer of type `application/geo+json`."""

    media_type = GEO_JSON

    def render(self, content: Any) -> bytes:
        """Write what FastAPI has made of the model."""
        return orjson.dumps(content)


class Point(Answer):
    """A GeoJSON point: longitude, latitude in WGS 84."""

    type: Literal["Point"]
    coordinates: tuple[float, float] = Field(examples=[(120.3826, 36.0671)])


def respond(body: Json, media_type: str = "application/json") -> Response:
    """Write `body` as JSON; times are written with their own offsets."""
    return Response(orjson.dumps(body), media_type=media_type)


def name(row: Named) -> Json:
    """Take the name out of a row."""
    return {"zh": row.name_zh, "en": row.name_en}


def point(row: Placed) -> Json:
    """Take the place out of a row."""
    return {"type": "Point", "coordinates": [row.longitude, row.latitude]}


def local(at: datetime | None, timezone: str) -> datetime | None:
    """Put an instant on the clock of a lot."""
    return at.astimezone(ZoneInfo(timezone)) if at else None


_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

# What a body says is taken as it is said: nobody consents by "yes" or 1, nor names version "2".
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]


def one_line(longest: int) -> StringConstraints:
    """Bound a text to one line of at most so many characters, spaces around it apart."""
    # No control characters: they have no place in a line, and PostgreSQL keeps no NUL.
    return StringConstraints(
        strip_whitespace=True, min_length=1, max_length=longest, pattern=r"^[^\x00-\x1f\x7f]+$"
    )


Line = Annotated[str, one_line(200)]
Reason = Annotated[
    str,
    one_line(500),
    Field(
        description="Why; kept in the audit.", examples=["台东商圈停车需求超过供给，划入一类区域"]
    ),
]


def _as_day(given: object) -> object:
    if not isinstance(given, str) or not _DAY.fullmatch(given):
        raise ValueError("a day is written such as 2027-01-01")
    return given


Day = Annotated[date, BeforeValidator(_as_day)]


class Body(BaseModel):
    """The body of a request: these members and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Body):
    """A text in both languages."""

    zh: Line = Field(examples=["台东一类区域"])
    en: Line = Field(examples=["Taidong class 1"])


class Why(Body):
    """The reason of an act that needs nothing else."""

    reason: Reason
