"""A route class that reads a request's body after the caller is known, within bounds, strictly.

FastAPI itself reads and parses a body before its dependencies refuse the caller.
"""

import json
import re
from collections.abc import Callable, Coroutine, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Final, Protocol, runtime_checkable

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from parking_api.errors import ApiError, ParameterFault
from parking_api.worker import off_loop
from pricing import Fault, TariffFaultsError, cleaned, parsed

MAX_BODY_BYTES: Final = 65_536
# Of a list in a body; validation names the fault of each item.
MAX_ITEMS: Final = 2000
_JSON_TYPE: Final = re.compile(
    r"\s*application/([a-z0-9.-]+\+)?json\s*(;.*)?", re.IGNORECASE | re.ASCII
)
# Above this the loop does not wait for the parser: it takes up to 0.5 s a megabyte, and many may
# come at once.
_INLINE_BYTES: Final = 4096


class BodyTooLargeError(ApiError, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
    """The body is too large."""

    def __init__(self, most: int) -> None:
        super().__init__(f"The body of this request has at most {most} bytes.")


class EncodedBodyError(ApiError, status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE):
    """The body of a request is sent as it is, without Content-Encoding."""


class MediaTypeError(ApiError, status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE):
    """The body is JSON: say so, with `Content-Type: application/json`."""


class NotJsonError(ApiError, status=HTTPStatus.UNPROCESSABLE_ENTITY):
    """The body is not JSON in UTF-8."""

    def __init__(self, faults: Sequence[Fault], why: BaseException | None = None) -> None:
        whole = _where(why)
        super().__init__(
            faults=[
                ParameterFault(parameter=fault.path or whole, message=fault.message)
                for fault in faults
            ]
        )


def _where(why: BaseException | None) -> str:
    """Say where in a body its text ends to be JSON."""
    if isinstance(why, json.JSONDecodeError):
        return f"body, line {why.lineno}, column {why.colno}"
    if isinstance(why, UnicodeDecodeError):
        before = why.object[: why.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        return f"body, line {line}, column {column}"
    return "body"


class AmbiguousBodyError(NotJsonError, kind="ambiguous-body"):
    """The body says a member twice, or holds what JSON cannot; each with its path."""


@runtime_checkable
class Admission(Protocol):
    """A dependency that decides whether the caller may go on."""

    async def admit(self, request: Request) -> object:
        """Let the caller in, or raise the refusal."""


def admissions_of(dependant: Dependant) -> Sequence[Admission]:
    """Find what a route's dependencies ask of its caller; nothing where it is for anyone."""
    found: list[Admission] = []
    for each in dependant.dependencies:
        found += [each.call] if isinstance(each.call, Admission) else admissions_of(each)
    return found


class StrictRoute(APIRoute):
    """A route that first finds out who asks, then reads a JSON body of at most `max_bytes`."""

    max_bytes: ClassVar[int] = MAX_BODY_BYTES
    max_items: ClassVar[int] = MAX_ITEMS

    @staticmethod
    def prepare(value: object) -> object:
        """Do slow work on the parsed body, off the loop."""
        return value

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return a handler that reads the request in this order."""
        handle = super().get_route_handler()
        admissions = admissions_of(self.dependant)
        has_body = self.body_field is not None

        async def strict(request: Request) -> Response:
            for admission in admissions:
                await admission.admit(request)
            if has_body:
                await self._read(request)
            return await handle(request)

        return strict

    async def _read(self, request: Request) -> None:
        """Read and parse the body, and store both where Starlette keeps them."""
        body = await read_body(request, self.max_bytes)
        request._body = body  # noqa: SLF001 - as `Request.body` does
        if not body:
            return
        if not _JSON_TYPE.fullmatch(request.headers.get("content-type", "")):
            raise MediaTypeError
        try:
            if len(body) > _INLINE_BYTES:
                value, faults = await off_loop(self._value, body)
            else:
                value, faults = self._value(body)
        except TariffFaultsError as error:
            raise NotJsonError(error.faults, error.__cause__) from error
        if faults:
            raise AmbiguousBodyError(faults)
        request._json = value  # noqa: SLF001 - as `Request.json` does

    def _value(self, body: bytes) -> tuple[object, list[Fault]]:
        value, faults = cleaned(parsed(body), self.max_items)
        return (value if faults else self.prepare(value)), faults


async def read_body(request: Request, most: int) -> bytes:
    """Return the body, read as it arrives.

    Raises:
        EncodedBodyError: It is compressed or otherwise encoded.
        BodyTooLargeError: It has more bytes than `most`, or says that it has.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise EncodedBodyError
    announced = request.headers.get("content-length", "")
    # Of so few digits that this is no work; the server has refused all but digits.
    if announced.isdecimal() and (len(announced) > len(str(most)) or int(announced) > most):
        raise BodyTooLargeError(most)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise BodyTooLargeError(most)
    return bytes(body)
