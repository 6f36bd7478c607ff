"""The kinds of value that a tariff document is made of, each checked as it is read.

Values keep the form in which they were written (a time stays `07:30`, a multiplier `1.5`), so that
a document that was read can be written again unchanged; the pricer derives its own forms.
"""

import math
import re
from collections.abc import Sized
from datetime import date
from fractions import Fraction
from typing import Annotated, Final, Literal, TypeGuard, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StrictStr

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

Members = TypeVar("Members", bound=Sized)

# ASCII: otherwise the digits of every script would do.
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_SEASON_DAY = re.compile(r"(\d{2})-(\d{2})", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DECIMAL = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
# Of the machine, without meaning, or not in civil time (`right/` counts leap seconds).
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})
_NO_ZONES_UNDER = ("posix/", "right/")


def _clock_time(value: str) -> str:
    if not _TIME.fullmatch(value):
        msg = "is not a local time HH:MM from 00:00 to 24:00"
        raise ValueError(msg)
    return value


def _season_day(value: str) -> str:
    found = _SEASON_DAY.fullmatch(value)
    try:
        if found:
            date(LEAP_YEAR, int(found[1]), int(found[2]))
            return value
    except ValueError:
        pass
    msg = "is not a day of the year MM-DD"
    raise ValueError(msg)


def _iso_date(value: str) -> str:
    if _DATE.fullmatch(value):
        date.fromisoformat(value)
        return value
    msg = "is not a date YYYY-MM-DD"
    raise ValueError(msg)


def _currency(value: str) -> str:
    if value not in CURRENCIES:
        msg = "is not a currency's code of ISO 4217, such as CNY"
        raise ValueError(msg)
    return value


def _said(value: str) -> str:
    if not value.strip():
        msg = "is blank"
        raise ValueError(msg)
    return value


def _zone(value: str) -> str:
    if not _is_zone(value):
        msg = "is not a time zone of the IANA database"
        raise ValueError(msg)
    return value


def _is_zone(name: str) -> bool:
    if name in _NO_ZONES or name.startswith(_NO_ZONES_UNDER):
        return False
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return False
    return True


def _days(value: object) -> object:
    if value == "all":
        return value
    named = list(value) if isinstance(value, list | tuple) else []
    known = (*DAY_KINDS, *DAY_NAMES)
    if not 0 < len(named) <= len(known) or any(name not in known for name in named):
        msg = 'is neither "all" nor a list of workday, weekend, holiday, mon ... sun'
        raise ValueError(msg)
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
        msg = "is not a decimal number, such as 1.5"
        raise ValueError(msg)
    if not 0 <= exact(value) <= MAX_MINOR:
        msg = f"must be from 0 to {MAX_MINOR}"
        raise ValueError(msg)
    if 10**MAX_DECIMALS % exact(value).denominator:
        msg = f"has more than {MAX_DECIMALS} decimals"
        raise ValueError(msg)
    return value


def some(value: Members) -> Members:
    """Refuse an empty list or object; after its members, so that only a really empty one fails."""
    if not len(value):
        msg = "is empty"
        raise ValueError(msg)
    return value


def exact(value: float | str) -> Fraction:
    """The number that was written: 1.1 is 11/10, not the nearest binary fraction."""
    return Fraction(value if isinstance(value, int | str) else repr(value))


def _percentage(value: float | str) -> float | str:
    if exact(value) > 100:  # noqa: PLR2004
        msg = "must be a percentage from 0 to 100"
        raise ValueError(msg)
    return value


Text = Annotated[StrictStr, Field(min_length=1, max_length=200), AfterValidator(_said)]
ClockTime = Annotated[StrictStr, AfterValidator(_clock_time)]
SeasonDay = Annotated[StrictStr, AfterValidator(_season_day)]
IsoDate = Annotated[StrictStr, AfterValidator(_iso_date)]
ZoneName = Annotated[StrictStr, AfterValidator(_zone)]
Currency = Annotated[StrictStr, AfterValidator(_currency)]
DayName = Literal["workday", "weekend", "holiday", "mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Days = Annotated[Literal["all"] | tuple[DayName, ...], BeforeValidator(_days)]
Minor = Annotated[StrictInt, Field(ge=0, le=MAX_MINOR)]
SignedMinor = Annotated[StrictInt, Field(ge=-MAX_MINOR, le=MAX_MINOR)]
Seconds = Annotated[StrictInt, Field(ge=0, le=MAX_SECONDS)]
SomeSeconds = Annotated[StrictInt, Field(ge=1, le=MAX_SECONDS)]
Number = Annotated[int | float | str, BeforeValidator(_number)]
Percentage = Annotated[Number, AfterValidator(_percentage)]
