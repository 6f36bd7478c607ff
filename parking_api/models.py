"""The shapes that several domains share, of answers and of bodies of requests."""

import json
import re
from datetime import date, datetime
from typing import Annotated, Any, Final, Generic, Literal, Self, TypeVar, cast
from zoneinfo import ZoneInfo

import numpy as np
import orjson
from fastapi import Response
from fastapi.responses import JSONResponse
from numpy.typing import NDArray
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    Strict,
    StringConstraints,
    WithJsonSchema,
)

from parking_api.coordinates import Crs, placed
from sql import kinds

GEO_JSON = "application/geo+json"

# Steps in a metre: finer than any position is known; half of one stays within 0.5 % from 0.1 m on.
DISTANCE_STEPS = 1000.0
# Steps in a second: more is noise of the clocks.
AGE_STEPS = 10.0

DataState = kinds.DataState
LotStatus = kinds.LotStatus
LotType = kinds.LotType
Reporting = kinds.Reporting
SpaceClass = kinds.SpaceClass
SpaceState = kinds.SpaceState

Count = Annotated[int, Field(ge=0)]

# An answer that orjson writes as it is: its values may be times, or JSON that is written already.
Json = dict[str, Any]
# Of a model: an object of JSON.
JsonObject = dict[str, JsonValue]


class Answer(BaseModel):
    """The base of answers; can be made from a row whose columns have the names of its fields."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        from_attributes=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    @classmethod
    def part_of(cls, whole: "Answer") -> Self:
        """Return what of an answer this base of it has.

        Persons have their names in further fields, which only the bureau sees.
        """
        known = cls.model_fields
        fields: Json = {name: value for name, value in whole if name in known}
        return cast("Self", cls.model_construct(**fields))


class Name(Answer):
    """What people call it."""

    zh: str = Field(examples=["五四广场地下停车场"])
    en: str = Field(examples=["May Fourth Square Underground"])


# Of a field of an answer that is the row of a statement, which gives it as JSON.
FromJson: Final = BeforeValidator(
    lambda given: json.loads(given) if isinstance(given, str) else given
)
StoredName = Annotated[Name, FromJson]


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

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Name the page of some item in OpenAPI: `KeyPage`, not `Page_KeyAnswer_`."""
        (item,) = params
        return f"{item.__name__.removesuffix('Answer').removesuffix('Facts')}Page"


class Feature(Answer, Generic[Facts]):
    """Something with its ground, as a GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: JsonObject
    properties: Facts


class FeatureCollection(Answer, Generic[AFeature]):
    """Features, as a GeoJSON FeatureCollection."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[AFeature]


class GeoJson(JSONResponse):
    """An answer of type `application/geo+json`."""

    media_type = GEO_JSON

    def render(self, content: object) -> bytes:
        """Write what FastAPI has made of the model."""
        return orjson.dumps(content)


DEGRADED: Final = "True where the database is away: the answer is as of `as_of`."


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


def rounded(value: float | None, steps: float) -> float | None:
    """Return a number to the nearest step, of which there are so many in 1."""
    return None if value is None else round(value * steps) / steps


def written_numbers(values: NDArray[np.float64], steps: float) -> list[bytes]:
    """Write each of some numbers as JSON, to the nearest step as in `rounded`."""
    text = orjson.dumps(np.rint(values * steps) / steps, option=orjson.OPT_SERIALIZE_NUMPY)
    return text[1:-1].split(b",")


def feature(item: Json, key: str) -> Json:
    """Return an item of an answer, which has a `location`, as a GeoJSON feature.

    Args:
        item: Of the answer.
        key: The name of its id.
    """
    properties = {name: value for name, value in item.items() if name != "location"}
    return {
        "type": "Feature",
        "id": item[key],
        "geometry": item["location"],
        "properties": properties,
    }


def formed(answer: Json, items: str, key: str, *, crs: Crs, as_features: bool) -> Response:
    """Write a list of things with a `location` in the form that was asked for.

    Args:
        answer: With its list; places in WGS 84.
        items: The name of the list.
        key: The name of an item's id.
        crs: The system of coordinates that was asked for.
        as_features: Whether it becomes a GeoJSON FeatureCollection.
    """
    found = [placed(item, crs) for item in answer.pop(items)]
    if not as_features:
        return respond({items: found, **answer})
    features = [feature(item, key) for item in found]
    return respond({"type": "FeatureCollection", "features": features, **answer}, GEO_JSON)


def local(at: datetime | None, timezone: str) -> datetime | None:
    """Put an instant on the clock of a lot."""
    return at.astimezone(ZoneInfo(timezone)) if at else None


_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

# No control characters: they have no place in a line, and PostgreSQL keeps no NUL. Nor what ends a
# line elsewhere, or turns the direction of writing.
_ONE_LINE: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+$"
# A body's values are not converted: "yes" and 1 are no consent; nor are numbers (`StrictInt`).
Flag = Annotated[bool, Strict()]


def one_line(longest: int) -> StringConstraints:
    """Bound a text to one line of at most so many characters, spaces around it apart."""
    return StringConstraints(
        strip_whitespace=True, min_length=1, max_length=longest, pattern=_ONE_LINE
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
