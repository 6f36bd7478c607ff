"""Types of query and path parameters that several routes share, with their bounds."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import UnionType
from typing import Annotated, Final, Literal, Union, get_args, get_origin

from fastapi import Path, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticKnownError

from parking_api.coordinates import Crs, asked_box, asked_place
from parking_api.errors import RepeatedParameterError, TooManyParametersError

ID_PATTERN = r"^[a-z0-9._-]{1,64}$"
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
WIDEST_BOX_DEG = 5.0
MOST_PARAMETERS = 64

_RFC_3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(?:([Zz])|([+ -])(\d{2}:\d{2}))",
    re.ASCII,
)
# As JSON has them, and a little more: 5. and .5 too.
_AS_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NotANumber = Literal["int_parsing", "float_parsing"]
_NUMBERS: Final[Mapping[object, _NotANumber]] = {int: "int_parsing", float: "float_parsing"}
_NUMBER = r"-?\d{1,3}(?:\.\d{1,15})?"


def _fault_of(annotation: object) -> _NotANumber | None:
    """Return the fault of what is no number, where a field is one; also of one that may be null."""
    if annotation in _NUMBERS:
        return _NUMBERS[annotation]
    if get_origin(annotation) is Annotated:
        return _fault_of(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return next(filter(None, map(_fault_of, get_args(annotation))), None)
    return None


class Parameters(BaseModel):
    """The parameters of a route: these and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _is_written_as_a_number(cls, given: object, info: ValidationInfo) -> object:
        """Refuse what only Python reads as a number, such as `1_0` and `+1`."""
        if isinstance(given, str) and not _AS_NUMBER.fullmatch(given):
            fault = _fault_of(cls.model_fields[str(info.field_name)].annotation)
            if fault:
                raise PydanticKnownError(fault)
        return given


# Of a route that takes none.
Nothing = Annotated[Parameters, Query()]

Source = Annotated[
    Literal["memory", "database"],
    Field(
        description="`database` answers in SQL, from the system of record: for operations and "
        "tests, and much slower."
    ),
]


class InCrs(Parameters):
    """Coordinates may be asked with, and are answered, in the systems of Chinese maps."""

    crs: Annotated[
        Crs,
        Field(
            description="The system of the coordinates asked with and answered in; `gcj02` is that "
            "of Chinese maps, `bd09` Baidu's."
        ),
    ] = "wgs84"

    def place(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Return a place that is asked for in WGS 84 degrees."""
        return asked_place(longitude, latitude, self.crs)

    def box(self, bbox: str) -> tuple[float, float, float, float]:
        """Return the corners of a checked box in WGS 84: see `corners` and `asked_box`."""
        return asked_box(*corners(bbox), self.crs)


class SourceAsk(Parameters):
    """Where the answer comes from."""

    source: Source = "memory"


Sourced = Annotated[SourceAsk, Query()]
Form = Annotated[
    Literal["json", "geojson"], Field(description="`geojson` for a FeatureCollection.")
]


async def refuse_odd_queries(request: Request) -> None:
    """Refuse a query that no route takes, whatever its parameters are.

    Raises:
        RepeatedParameterError: A parameter is given more than once.
        TooManyParametersError: There are more than any route takes.
        RequestValidationError: There is one, and the route takes none.
    """
    given = request.query_params.multi_items()
    if len(given) > MOST_PARAMETERS:
        raise TooManyParametersError
    seen = set()
    for name, _ in given:
        if name in seen:
            raise RepeatedParameterError(name)
        seen.add(name)
    if seen and not _takes_query(request.scope["route"].dependant):
        told = {"type": "extra_forbidden", "msg": "Extra inputs are not permitted"}
        raise RequestValidationError([{**told, "loc": ("query", name)} for name in seen])


def _takes_query(dependant: Dependant) -> bool:
    """Return whether a route has parameters of a query, or says itself that it takes none."""
    return bool(dependant.query_params) or any(map(_takes_query, dependant.dependencies))


def _as_rfc_3339(given: object) -> object:
    if isinstance(given, datetime):
        return given
    # Of a number, which bodies may hold, nobody can tell what it counts, and from when.
    found = _RFC_3339.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise ValueError("a time is RFC 3339 with its offset, such as 2026-11-22T09:30:00+08:00")
    moment, zulu, sign, offset = found.groups()
    # A "+" that was not percent-encoded arrives as a space; nothing else can be meant by it.
    return moment + ("Z" if zulu else sign.replace(" ", "+") + offset)


def _within_the_century(given: datetime) -> datetime:
    if not EARLIEST <= given < LATEST:
        raise ValueError("a time lies from 2000 to 2099")
    return given


def _is_sane_box(given: str) -> str:
    west, south, east, north = corners(given)
    if abs(west) > 180 or abs(east) > 180 or abs(south) > 90 or abs(north) > 90:  # noqa: PLR2004
        raise ValueError("a box lies within -180..180 and -90..90 degrees")
    if west > east or south > north:
        raise ValueError("a box is minlon,minlat,maxlon,maxlat, each minimum first")
    if east - west > WIDEST_BOX_DEG or north - south > WIDEST_BOX_DEG:
        raise ValueError(f"a box measures at most {WIDEST_BOX_DEG:g} degrees on a side")
    return given


def corners(bbox: str) -> tuple[float, float, float, float]:
    """Return west, south, east and north of a checked box, in degrees."""
    west, south, east, north = map(float, bbox.split(","))
    return west, south, east, north


def _no_dots(given: str) -> str:
    """Refuse names that stand for directories: clients take them out of a path."""
    if given in (".", ".."):
        raise ValueError("an id is no . or ..")
    return given


def _as_digits(given: object) -> object:
    """Refuse what only Python reads as a whole number."""
    if isinstance(given, str) and not _AS_NUMBER.fullmatch(given):
        raise PydanticKnownError("int_parsing")
    return given


# A whole number in a path.
Whole = Annotated[int, BeforeValidator(_as_digits)]
Id = Annotated[str, Field(pattern=ID_PATTERN), AfterValidator(_no_dots)]
LotId = Annotated[str, Path(pattern=ID_PATTERN, examples=["370202-0001"])]
Longitude = Annotated[
    float,
    Field(
        ge=-180, le=180, allow_inf_nan=False, description="Degrees, WGS 84.", examples=[120.3826]
    ),
]
Latitude = Annotated[
    float,
    Field(ge=-90, le=90, allow_inf_nan=False, description="Degrees, WGS 84.", examples=[36.0671]),
]
Radius = Annotated[
    float,
    Field(ge=1, le=20_000, allow_inf_nan=False, description="Metres, inclusive.", examples=[2000]),
]
Height = Annotated[
    float,
    Field(
        ge=1,
        le=6,
        allow_inf_nan=False,
        description="Height of the vehicle in metres: lots without a limit, or one that admits it.",
        examples=[1.9],
    ),
]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_as_rfc_3339),
    AfterValidator(_within_the_century),
    Field(examples=["2026-11-22T09:30:00+08:00"]),
]
Box = Annotated[
    str,
    Field(
        pattern=rf"^{_NUMBER}(,{_NUMBER}){{3}}$",
        description="`minlon,minlat,maxlon,maxlat`: degrees, at most 5 a side, edges included.",
        examples=["120.2,36.0,120.5,36.2"],
    ),
    AfterValidator(_is_sane_box),
]
