"""The errors of the API, and the RFC 9457 problems that answer them."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

PROBLEM_JSON = "application/problem+json"
# An answer lists at most so many faults of a request.
MOST_FAULTS: Final = 100
FAILED: Final = "The platform failed to answer; the fault is in its log."
NOTHING_HERE: Final = "There is nothing at this path."
_INVALID: Final = "A parameter is missing, unknown or out of its bounds."

log = structlog.get_logger(__name__)


class ParameterFault(BaseModel):
    """What is wrong with one parameter."""

    model_config = ConfigDict(frozen=True)

    parameter: str = Field(
        examples=["radius_m"], description="Its name; in a body, the path to it."
    )
    message: str = Field(examples=["Input should be less than or equal to 20000"])


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    model_config = ConfigDict(frozen=True)

    type: str = Field("about:blank", description="A URI of the kind of problem.")
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=[_INVALID])
    errors: list[ParameterFault] = Field([], description="The parameters at fault, if any.")
    missing: list[Literal["database", "broker", "ingester", "city"]] = Field(
        [], description="Of `/readyz`: the parts that are not there."
    )


class ApiError(Exception):
    """An error that answers a request; the class's sentence is the `detail`.

    Attributes:
        status: HTTP status.
        kind: What the problem's `type` says after `urn:onelot:problem:`; None for `about:blank`.
        faults: What is wrong with each part of the request.
        members: What the problem says beside.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    kind: ClassVar[str | None] = None
    members: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, detail: str = "", faults: Sequence[ParameterFault] = ()) -> None:
        super().__init__(detail)
        self.faults = faults

    def __init_subclass__(
        cls, *, status: HTTPStatus | None = None, kind: str | None = None
    ) -> None:
        """Take status and kind from the head of the class; those of its base where it has none."""
        super().__init_subclass__()
        cls.status = status or cls.status
        cls.kind = kind or cls.kind

    @property
    def detail(self) -> str:
        """What the answer says."""
        return str(self) or str(self.__doc__)

    @property
    def headers(self) -> Mapping[str, str]:
        """What the answer's head says beside."""
        return {"Retry-After": "1"} if self.status == HTTPStatus.SERVICE_UNAVAILABLE else {}


class LotUnknownError(ApiError, status=HTTPStatus.NOT_FOUND):
    """There is no such lot."""


class LotRetiredError(ApiError, status=HTTPStatus.GONE, kind="lot-retired"):
    """That lot is retired: only its history is kept."""


class DatabaseAwayError(ApiError, status=HTTPStatus.SERVICE_UNAVAILABLE):
    """The database cannot be reached at the moment."""


class QueryTooLongError(DatabaseAwayError, kind="takes-too-long"):
    """This takes too long; ask for less at a time."""


class CityLoadingError(ApiError, status=HTTPStatus.SERVICE_UNAVAILABLE):
    """This process has no city yet: it has just started, or the database is away."""


class MisdirectedError(ApiError, status=HTTPStatus.MISDIRECTED_REQUEST):
    """This part of the API answers anyone: ask its office, and show keys, tokens, codes to it."""


class HistoryTooLongError(ApiError, status=HTTPStatus.UNPROCESSABLE_ENTITY):
    """A history has at most 10,000 steps: shorten it, or lengthen the step."""


class TooManyParametersError(ApiError, status=HTTPStatus.UNPROCESSABLE_ENTITY):
    """There are more parameters than any route takes."""


class RepeatedParameterError(ApiError, status=HTTPStatus.UNPROCESSABLE_ENTITY):
    """A parameter is given more than once."""

    def __init__(self, parameter: str) -> None:
        super().__init__(faults=[ParameterFault(parameter=parameter, message=str(self.__doc__))])


def problem(
    status: int,
    detail: str,
    faults: Sequence[ParameterFault] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    kind: str | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response:
    """Return the answer of a problem.

    Args:
        status: HTTP status.
        detail: One sentence for people. Never text of the database.
        faults: The parameters at fault.
        headers: Further headers, such as `Allow`.
        kind: See `ApiError`.
        members: See `ApiError`.
    """
    content: dict[str, Any] = {
        "type": "about:blank" if kind is None else f"urn:onelot:problem:{kind}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **(members or {}),
    }
    if faults:
        content["errors"] = [fault.model_dump() for fault in faults[:MOST_FAULTS]]
    return Response(orjson.dumps(content), status, headers, PROBLEM_JSON)


# All are asynchronous: FastAPI runs others in threads, which compete with the loop for the
# interpreter.
async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    faults = [
        ParameterFault(parameter=".".join(map(str, fault["loc"][1:])), message=fault["msg"])
        for fault in error.errors()[:MOST_FAULTS]
    ]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, _INVALID, faults)


async def _on_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for it alone
    return problem_of(error)


def problem_of(error: ApiError) -> Response:
    """Return the answer that an error is."""
    return problem(
        error.status,
        error.detail,
        error.faults,
        headers=error.headers,
        kind=error.kind,
        members=error.members,
    )


async def _on_http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    details = {
        HTTPStatus.NOT_FOUND: NOTHING_HERE,
        HTTPStatus.METHOD_NOT_ALLOWED: "This path does not know that method.",
    }
    phrase = HTTPStatus(error.status_code).phrase
    detail = details.get(HTTPStatus(error.status_code), phrase)
    return problem(error.status_code, detail, headers=error.headers)


def failure() -> Response:
    """Return the answer to a request that failed by our fault."""
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, FAILED)


def stopping() -> Response:
    """Return the answer to a request that the server's stop interrupts."""
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The platform is stopping; ask again.",
        headers={"Retry-After": "1"},
    )


def add_handlers(app: FastAPI) -> None:
    """Make `app` answer every error as a problem; `observing` answers unforeseen ones."""
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(HTTPException, _on_http_error)


def public(*problems: HTTPStatus | type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """Describe for OpenAPI the problems of a route for anyone: its own, 422 and 503."""
    return described(*problems, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)


def described(*problems: HTTPStatus | type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's description of the problems that a route can answer with.

    Args:
        problems: Errors, each with its own sentence; or plain statuses, for the commonest three.
    """
    descriptions = {
        HTTPStatus.NOT_FOUND: LotUnknownError.__doc__,
        HTTPStatus.UNPROCESSABLE_ENTITY: _INVALID,
        HTTPStatus.SERVICE_UNAVAILABLE: DatabaseAwayError.__doc__,
    }
    texts_by_status: dict[HTTPStatus, list[str]] = {}
    for one in problems:
        status = one if isinstance(one, HTTPStatus) else one.status
        text = descriptions[one] if isinstance(one, HTTPStatus) else one.__doc__
        texts_by_status.setdefault(status, []).append(str(text))
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        int(status): {
            "description": " ".join(texts),
            "content": {PROBLEM_JSON: {"schema": schema}},
        }
        for status, texts in texts_by_status.items()
    }
