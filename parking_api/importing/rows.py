"""The rows of the files: which values each column takes."""

import re
from datetime import UTC, datetime, time
from functools import cache
from typing import Annotated, Final
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from sql.kinds import LandUse, LotType, Reporting, SpaceClass

ID_PATTERN: Final = r"^[a-z0-9._-]{1,64}$"
SMALLINT_MAX: Final = 32_767
# The largest longitude and latitude, degrees.
EAST: Final = 180.0
NORTH: Final = 90.0
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}.*")
_FIRST_INSTANT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_INSTANT: Final = datetime(2200, 1, 1, tzinfo=UTC)


def _is_printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds a control character")
    return text


def _clock(value: object) -> object:
    if isinstance(value, str) and not _CLOCK.fullmatch(value.strip()):
        raise ValueError("should be HH:MM, 00:00 to 23:59")
    return value


def _instant(value: object) -> object:
    if isinstance(value, str) and not _INSTANT.fullmatch(value.strip()):
        raise ValueError("should be an RFC 3339 time such as 2026-01-01T00:00:00+08:00")
    return value


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _timezone(name: str) -> str:
    if name not in _timezones():
        raise ValueError("is not an IANA time zone such as Asia/Shanghai")
    return name


Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(_is_printable)
]
Clock = Annotated[time, BeforeValidator(_clock)]
Instant = Annotated[
    AwareDatetime, BeforeValidator(_instant), Field(ge=_FIRST_INSTANT, lt=_LAST_INSTANT)
]
Timezone = Annotated[str, AfterValidator(_timezone)]
Capacity = Annotated[int, Field(ge=1, le=20_000)]
ReportInterval = Annotated[int, Field(ge=10, le=86_400)]
Smallint = Annotated[int, Field(ge=-SMALLINT_MAX, le=SMALLINT_MAX)]


class Row(BaseModel):
    """A row of a file: made from the text of its cells, frozen; other columns are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)


class OperatorRow(Row):
    """Who runs lots."""

    operator_id: Id
    name_zh: Name
    name_en: Name


class GatewayRow(Row):
    """A device that reports for lots of its operator."""

    gateway_id: Id
    operator_id: Id
    simulated: bool = False


class DistrictRow(Row):
    """A district of the city; its polygon stands apart."""

    adcode: Id
    name_zh: Name
    name_en: Name


class ZoneRow(Row):
    """A tariff zone; its polygon stands apart. In force from `valid_from` to before `valid_to`."""

    zone_id: Id
    name_zh: Name
    name_en: Name
    zone_class: int = Field(ge=1, le=3)
    valid_from: Instant
    valid_to: Instant | None = None

    @field_validator("valid_to")
    @classmethod
    def _ends_after_it_begins(
        cls, valid_to: datetime | None, info: ValidationInfo
    ) -> datetime | None:
        valid_from = info.data.get("valid_from")
        if valid_to and valid_from and valid_to <= valid_from:
            raise ValueError("should be after valid_from")
        return valid_to


class PlaceRow(Row):
    """A row with a place, in degrees."""

    longitude: float = Field(ge=-EAST, le=EAST, allow_inf_nan=False)
    latitude: float = Field(ge=-NORTH, le=NORTH, allow_inf_nan=False)

    @field_validator("latitude")
    @classmethod
    def _is_a_place(cls, latitude: float, info: ValidationInfo) -> float:
        """Refuse 0, 0: in the sea off Ghana, and what software writes for no place at all."""
        if latitude == 0 and info.data.get("longitude") == 0:
            raise ValueError("with longitude 0 is no place: it is unknown")
        return latitude


class LotRow(PlaceRow):
    """A lot. `opens_at` and `closes_at` are local; neither means round the clock."""

    lot_id: Id
    operator_id: Id
    gateway_id: Id
    district: Id | None = None
    name_zh: Name
    name_en: Name
    lot_type: LotType
    land_use: LandUse | None = None
    reporting: Reporting
    report_interval_s: ReportInterval
    capacity: Capacity
    levels: int = Field(default=1, ge=1, le=SMALLINT_MAX)
    height_limit_m: float | None = Field(default=None, ge=1.5, le=6.0)
    opens_at: Clock | None = None
    closes_at: Clock | None = Field(default=None, validate_default=True)
    timezone: Timezone = "Asia/Shanghai"

    @field_validator("closes_at")
    @classmethod
    def _hours_are_whole(cls, closes_at: time | None, info: ValidationInfo) -> time | None:
        if "opens_at" in info.data and (closes_at is None) != (info.data["opens_at"] is None):
            raise ValueError("opens_at and closes_at go together: give both or neither")
        return closes_at


class BayRow(PlaceRow):
    """A bay. `level` 0 is the street, -1 the first basement, 1 the first floor up."""

    lot_id: Id
    number: Capacity
    level: Smallint
    space_class: SpaceClass
