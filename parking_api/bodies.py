"""What the bodies of requests share."""

import re
from datetime import date
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

# What a body says is taken as it is said: nobody consents by "yes" or 1, nor names version "2".
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]

# No control characters: they have no place in a line, and PostgreSQL keeps no NUL.
Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]
Reason = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
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
