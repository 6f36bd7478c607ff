"""The rows of the files: which values each column takes."""

import re
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Annotated, Final
from zoneinfo import ZoneInfo, available_timezones

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

from parking_api.parameters import Id
from sql.kinds import LandUse, LotType, Reporting, SpaceClass

SMALLINT_MAX: Final = 32_767
# The largest longitude and latitude, degrees.
EAST: Final = 180.0
NORTH: Final = 90.0
# The columns of a closure: a file has all of what it says, or nothing.
CLOSURE: Final = ("closed_from", "closed_until", "closed_reason")
# The columns of a place stand last in the files.
PLACE: Final = ("longitude", "latitude")
# 1,200 or, where a comma is the decimal sign, 1 200.
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}([, ][0-9]{3})+(\.0*)?")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?[0-9]+,[0-9]+")
# A time on the clock of the place, as spreadsheets write it: 2026-12-05 08:00, 2026/12/5 8:00:00.
_LOCAL: Final = re.compile(
    r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})[T ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?"
)
# H:MM or HH:MM, and :00 for seconds.
_CLOCK: Final = re.compile(r"([0-9]{1,2}):([0-5][0-9])(?::00)?")
_FIRST_INSTANT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_INSTANT: Final = datetime(2200, 1, 1, tzinfo=UTC)


def _is_printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds a control character")
    return text


def _written(pattern: str, message: str) -> BeforeValidator:
    """Return the check that a text matches a pattern, spaces around it apart."""

    def check(value: object) -> object:
        if isinstance(value, str) and not re.fullmatch(pattern, value.strip()):
            raise ValueError(message)
        return value

    return BeforeValidator(check)


def _integer(value: object) -> object:
    """Return a whole number's text without what separates its thousands."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if re.fullmatch(r"[+-]?[0-9]{1,3}\.[0-9]{3}", text):
        raise ValueError("may mean a thousand times as much: write it without a point")
    return re.sub("[, ]", "", text) if _GROUPED.fullmatch(text) else text


def _decimal(value: object) -> object:
    """Return a number's text with a point where it has a decimal comma."""
    is_decimal = isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value.strip())
    return str(value).replace(",", ".") if is_decimal else value


def _clock(value: object) -> object:
    """Return the time of day of a text; 24:00 is the midnight that is next."""
    if not isinstance(value, str):
        return value
    found = _CLOCK.fullmatch(value.strip())
    hour, minute = map(int, found.groups()) if found else (-1, 0)
    if not (0 <= hour <= 23 or (hour, minute) == (24, 0)):  # noqa: PLR2004 - hours of a day
        raise ValueError("should be HH:MM, 00:00 to 24:00")
    return time(hour % 24, minute)


def _unswapped(value: object, info: ValidationInfo) -> object:
    """Refuse what is no latitude and may be the longitude of a place whose latitude is beside."""
    longitude = info.data.get("longitude")
    try:
        latitude = float(str(value))
    except ValueError:
        return value
    if longitude is not None and abs(longitude) <= NORTH < abs(latitude) <= EAST:
        raise ValueError(f"and longitude {longitude} look swapped: latitude is from -90 to 90")
    return value


def _moment(value: object, info: ValidationInfo) -> object:
    """Return the instant of a time on the lot's own clock; what has an offset says it itself."""
    found = _LOCAL.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value
    if "timezone" not in info.data:
        raise ValueError("is on the lot's clock, whose time zone is not known")
    year, _, month, day, hour, minute, second = found.groups(default="0")
    # The midnight that is next, as in hours of opening.
    is_midnight = (hour, int(minute), int(second)) == ("24", 0, 0)
    clock = "00:00:00" if is_midnight else f"{hour:0>2}:{minute}:{second:0>2}"
    try:
        local = datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}T{clock}")
    except ValueError:
        raise ValueError("is no time: there is no such day or hour") from None
    local += timedelta(days=is_midnight)
    return local.replace(tzinfo=ZoneInfo(info.data["timezone"])).astimezone(UTC)


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _timezone(name: str) -> str:
    if name not in _timezones():
        raise ValueError("is not an IANA time zone such as Asia/Shanghai")
    return name


Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(_is_printable)
]
ClosedReason = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(_is_printable)
]
Clock = Annotated[time, BeforeValidator(_clock)]
Instant = Annotated[
    AwareDatetime,
    _written(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}.*",
        "should be an RFC 3339 time such as 2026-01-01T00:00:00+08:00",
    ),
    Field(ge=_FIRST_INSTANT, lt=_LAST_INSTANT),
]
Moment = Annotated[
    AwareDatetime,
    # The last validator of a type is the first that sees its value.
    _written(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}.*",
        "should be a time: 2026-12-05T08:00:00+08:00, or 2026-12-05 08:00 on the lot's clock",
    ),
    BeforeValidator(_moment),
    Field(ge=_FIRST_INSTANT, lt=_LAST_INSTANT),
]
Timezone = Annotated[str, AfterValidator(_timezone)]
Integer = Annotated[int, BeforeValidator(_integer)]
Capacity = Annotated[Integer, Field(ge=1, le=20_000)]
ReportInterval = Annotated[Integer, Field(ge=10, le=86_400)]
Smallint = Annotated[Integer, Field(ge=-SMALLINT_MAX, le=SMALLINT_MAX)]
Decimal = Annotated[float, BeforeValidator(_decimal)]


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
    zone_class: Integer = Field(ge=1, le=3)
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

    longitude: Decimal = Field(ge=-EAST, le=EAST, allow_inf_nan=False)
    # The last validator of a type is the first that sees its value.
    latitude: Annotated[float, BeforeValidator(_unswapped), BeforeValidator(_decimal)] = Field(
        ge=-NORTH, le=NORTH, allow_inf_nan=False
    )

    @field_validator("latitude")
    @classmethod
    def _is_a_place(cls, latitude: float, info: ValidationInfo) -> float:
        """Refuse 0, 0: in the sea off Ghana, and what software writes for no place at all."""
        if latitude == 0 and info.data.get("longitude") == 0:
            raise ValueError("with longitude 0 is no place: it is unknown")
        return latitude


class NamedPlaceRow(PlaceRow):
    """A place that people know by its name, and search for."""

    place_id: Id
    name_zh: Name
    name_en: Name
    district: Id | None = None


class LotRow(PlaceRow):
    """A lot. `opens_at` and `closes_at` are local; neither means round the clock.

    From `closed_from` to before `closed_until`, or without end, it is closed for a time.
    """

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
    levels: Integer = Field(default=1, ge=1, le=SMALLINT_MAX)
    height_limit_m: Decimal | None = Field(default=None, ge=1.5, le=6.0)
    opens_at: Clock | None = None
    closes_at: Clock | None = Field(default=None, validate_default=True)
    timezone: Timezone = "Asia/Shanghai"
    closed_from: Moment | None = None
    closed_until: Moment | None = None
    closed_reason: ClosedReason | None = None
    retired: bool = False

    @field_validator("closed_until", "closed_reason")
    @classmethod
    def _is_of_a_closure(cls, value: object, info: ValidationInfo) -> object:
        begins = info.data.get("closed_from")
        if value is None or "closed_from" not in info.data:
            return value
        if begins is None:
            raise ValueError("needs closed_from: when does the closure begin?")
        if isinstance(value, datetime) and value <= begins:
            raise ValueError("should be after closed_from")
        return value

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
