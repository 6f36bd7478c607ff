"""What the bodies of requests share."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from parking_api.errors import ApiError, ParameterFault
from pricing.errors import TariffFaultsError
from pricing.reading import cleaned, parsed

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


class AmbiguousBodyError(ApiError):
    """The body says a member twice, or holds what JSON cannot; each with its path."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "ambiguous-body"


class StrictRoute(APIRoute):
    """A route that refuses a body which could be read in two ways, before anything reads it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Look at the body first."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            refuse_ambiguity(await request.body())
            return await handle(request)

        return strict


def refuse_ambiguity(body: bytes) -> None:
    """Refuse JSON that says a member twice; what is no JSON is told by whoever reads it.

    Raises:
        AmbiguousBodyError: With the path of each such member.
    """
    try:
        _, faults = cleaned(parsed(body)) if body else (None, [])
    except TariffFaultsError:
        return
    if faults:
        error = AmbiguousBodyError()
        error.faults = [
            ParameterFault(parameter=fault.path or "body", message=fault.message)
            for fault in faults
        ]
        raise error
