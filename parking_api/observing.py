"""Middleware that counts and times every request, logs it, and answers one that fails."""

import asyncio
from http import HTTPStatus
from time import perf_counter
from typing import Final

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parking_api.errors import NOTHING_HERE, failure, problem, stopping
from parking_api.metrics import Metrics

log = structlog.get_logger(__name__)

UNMATCHED = "unmatched"
# The status of a request whose client went away, as in nginx.
GONE = 499


METRICS: Final = "/metrics"


class MetricsApart:
    """ASGI middleware: `/metrics` is at a port of its own, and nothing else is there.

    Args:
        app: What answers.
        port: That port.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, where it is at the right port."""
        is_at_port = (scope.get("server") or ("", None))[1] == self._port
        if scope["type"] == "http" and is_at_port != (scope["path"] == METRICS):
            await problem(HTTPStatus.NOT_FOUND, NOTHING_HERE)(scope, receive, send)
            return
        await self._app(scope, receive, send)


class Observing:
    """ASGI middleware around the whole application.

    Neither coordinates nor identities of people are logged: the route's template stands for the
    path, and the query is left out.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, *, logs_each: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._logs_each = logs_each

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = ended = perf_counter()
        status = 0

        async def watching(message: Message) -> None:
            nonlocal status, ended
            if message["type"] == "http.response.start":
                status = int(message["status"])
            # Before sending: a slow peer's time does not count.
            ended = perf_counter()
            await send(message)

        try:
            await self._app(scope, receive, watching)
        except ClientDisconnect:
            # Before its body was complete: there is nobody to answer.
            status, ended = status or GONE, perf_counter()
        except asyncio.CancelledError:
            # The server cancels requests that run when its time to stop is over.
            if status:
                raise
            await stopping()(scope, receive, watching)
        except Exception:
            log.exception("request failed", route=_route(scope))
            if status:
                raise
            await failure()(scope, receive, watching)
        self._note(scope, status, ended - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route, method = _route(scope), scope["method"]
        self._metrics.note_request(method, route, status, seconds)
        if self._logs_each or status >= HTTPStatus.BAD_REQUEST:
            ms = round(1000 * seconds, 1)
            log.info("request", method=method, route=route, status=status, duration_ms=ms)


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", UNMATCHED)
