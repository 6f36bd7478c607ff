"""What the bodies of requests share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

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
