"""The kinds of value that a tariff document is made of, each checked as it is read.

Values keep the form in which they were written (a time stays `07:30`, a multiplier `1.5`), so that
a document that was read can be written again unchanged; the pricer derives its own forms.
"""

import math
import re
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Final, Literal, TypeGuard
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from pricing.currencies import CURRENCIES

MAX_MINOR: Final = 10**12
MAX_SECONDS: Final = 366 * 86_400
# As many as a float of the common kinds shows; what it takes to say amounts exactly.
MAX_DECIMALS: Final = 20
# Beyond every real tariff, which has some eight periods of some three tiers.
MAX_PERIODS: Final = 48
MAX_TIERS: Final = 24
MAX_TIERS_IN_ALL: Final = 192
MAX_CAPS: Final = 8
MAX_VEHICLES: Final = 32
MAX_ENTITLEMENTS: Final = 32
# Of holidays, or make-up workdays, of all the years of a calendar.
MAX_DATES: Final = 2000
LEAP_YEAR: Final = 2000
DAY_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_KINDS: Final = ("workday", "weekend", "holiday")

# ASCII: otherwise the digits of every script would do.
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_SEASON_DAY = re.compile(r"\d{2}-\d{2}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DECIMAL = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
# Of the machine, without meaning, or not in civil time (`right/` counts leap seconds).
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})
_NO_ZONES_UNDER = ("posix/", "right/")


def _must(hold: Callable[[Any], object], message: str) -> AfterValidator:
    """A validator that refuses, with `message`, a value for which `hold` says something false."""

    def check(value: Any) -> Any:
        if not hold(value):
            raise ValueError(message)
        return value

    return AfterValidator(check)


def _is_season_day(value: str) -> bool:
    try:
        return bool(_SEASON_DAY.fullmatch(value) and date.fromisoformat(f"{LEAP_YEAR}-{value}"))
    except ValueError:
        return False


def _is_zone(name: str) -> bool:
    try:
        return bool(
            name not in _NO_ZONES and not name.startswith(_NO_ZONES_UNDER) and ZoneInfo(name)
        )
    except (OSError, ValueError, LookupError):
        return False


def _days(value: object) -> object:
    named = list(value) if isinstance(value, list | tuple) else []
    known = (*DAY_KINDS, *DAY_NAMES)
    if value != "all" and (
        not 0 < len(named) <= len(known) or any(name not in known for name in named)
    ):
        raise ValueError('is neither "all" nor a list of workday, weekend, holiday, mon ... sun')
    return value


def is_number(value: object) -> TypeGuard[int | float | str]:
    """Whether this is a decimal number in one of the forms that a document may use."""
    if isinstance(value, str):
        return _DECIMAL.fullmatch(value) is not None
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> object:
    if not is_number(value):
        raise ValueError("is not a decimal number, such as 1.5")
    if not 0 <= exact(value) <= MAX_MINOR:
        raise ValueError(f"must be from 0 to {MAX_MINOR}")
    if 10**MAX_DECIMALS % exact(value).denominator:
        raise ValueError(f"has more than {MAX_DECIMALS} decimals")
    return value


def exact(value: float | str) -> Fraction:
    """The number that was written: 1.1 is 11/10, not the nearest binary fraction."""
    return Fraction(value if isinstance(value, int | str) else repr(value))


def _pattern(pattern: str, description: str, **more: Any) -> WithJsonSchema:
    """What a JSON Schema says of a text that a function checks."""
    return WithJsonSchema(
        {"type": "string", "pattern": pattern, "description": description, **more}
    )


def _number_schema(most: int, description: str) -> WithJsonSchema:
    """What a JSON Schema says of a decimal number, written as a number or as a text."""
    return WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": most},
                {"type": "string", "pattern": "^[0-9]{1,9}(\\.[0-9]{1,9})?$"},
            ],
            "description": description,
        }
    )


class Filled:
    """Says in a JSON Schema that a list or an object is not empty, which `NotEmpty` checks."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the bound to what pydantic says of the members."""
        made = handler(schema)
        made["minItems" if made["type"] == "array" else "minProperties"] = 1
        return made


# Checked after the members, so that only a really empty list or object is refused.
NotEmpty: Final = _must(len, "is empty")
Text = Annotated[
    StrictStr,
    Field(min_length=1, max_length=200),
    _must(str.strip, "is blank"),
    _pattern("\\S", "Not blank.", minLength=1, maxLength=200),
]
ClockTime = Annotated[
    StrictStr,
    _must(_TIME.fullmatch, "is not a local time HH:MM from 00:00 to 24:00"),
    _pattern("^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", "Local time, HH:MM to 24:00."),
]
SeasonDay = Annotated[
    StrictStr,
    _must(_is_season_day, "is not a day of the year MM-DD"),
    _pattern("^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", "A day of the year, MM-DD."),
]
IsoDate = Annotated[
    StrictStr,
    _must(_DATE.fullmatch, "is not a date YYYY-MM-DD"),
    _must(date.fromisoformat, "is not a date YYYY-MM-DD"),
    _pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "A local date.", format="date"),
]
ZoneName = Annotated[
    StrictStr,
    _must(_is_zone, "is not a time zone of the IANA database"),
    _pattern("\\S", "A time zone of the IANA database."),
]
Currency = Annotated[
    StrictStr,
    _must(CURRENCIES.__contains__, "is not a currency's code of ISO 4217, such as CNY"),
    _pattern("^[A-Z]{3}$", "A code of ISO 4217."),
]
DayName = Literal["workday", "weekend", "holiday", "mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Days = Annotated[
    Literal["all"] | tuple[DayName, ...],
    BeforeValidator(_days),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "all"},
                {
                    "type": "array",
                    "items": {"enum": [*DAY_KINDS, *DAY_NAMES]},
                    "minItems": 1,
                    "maxItems": len(DAY_KINDS + DAY_NAMES),
                },
            ],
            "description": "Local dates on which a window starts.",
        }
    ),
]
_MINOR: Final = "In the currency's smallest unit."
Minor = Annotated[StrictInt, Field(ge=0, le=MAX_MINOR, description=_MINOR)]
SignedMinor = Annotated[StrictInt, Field(ge=-MAX_MINOR, le=MAX_MINOR, description=_MINOR)]
Seconds = Annotated[StrictInt, Field(ge=0, le=MAX_SECONDS, description="In seconds.")]
SomeSeconds = Annotated[StrictInt, Field(ge=1, le=MAX_SECONDS, description="In seconds.")]
Number = Annotated[
    int | float | str,
    BeforeValidator(_number),
    _number_schema(MAX_MINOR, f"A factor; at most {MAX_DECIMALS} decimals."),
]
Percentage = Annotated[
    Number,
    _must(lambda value: exact(value) <= 100, "must be a percentage from 0 to 100"),  # noqa: PLR2004
    _number_schema(100, "In per cent, from 0 to 100."),
]
