"""Answers the routes that apps ask most, ahead of the framework and of any task of the loop.

The server asks here first (`parking_api.connections`). Only plain questions are taken: a GET
without a body, whose query needs no decoding and is well by the model of the route. Everything
else, whatever is wrong with it, goes on to the route itself, which answers from the same memory: so
the declared parameters, bounds and errors stand once. A test holds the two to each other on
generated requests.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import structlog
from pydantic import BaseModel, ValidationError

from parking_api.clients import FORWARDED, Clients, TooManyRequestsError
from parking_api.connections import Headers, ReadyAnswer, lines_of
from parking_api.metrics import Metrics
from parking_api.public_reads import (
    GZIPPED,
    LEAST_COMPRESSED,
    LIVE_HEADERS,
    accepts_gzip,
    gzipped,
)

_HEAD: Final = b"content-length"
_CODED: Final = b"transfer-encoding"
_LINES: Final = lines_of([(b"content-type", b"application/json"), *LIVE_HEADERS])
_GZIPPED_LINES: Final = _LINES + lines_of([GZIPPED])

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class HotRoute:
    """A route, and how it is answered.

    Attributes:
        asks: The model of its query.
        answer: Returns the body, JSON; None where the route itself is to answer.
    """

    asks: type[BaseModel]
    answer: Callable[[Any], bytes | None]


class HotRoutes:
    """The routes, by their path."""

    def __init__(
        self,
        routes: Mapping[str, HotRoute],
        metrics: Metrics,
        clients: Clients,
        *,
        logs_each: bool,
    ) -> None:
        self._routes = {
            path.encode(): (route, metrics.tally("GET", path, 200).note)
            for path, route in routes.items()
        }
        self._clients = clients
        self._logs_each = logs_each

    def answer(self, path: bytes, query: bytes, headers: Headers, peer: str) -> ReadyAnswer | None:
        """Return the answer to a GET; None where its route is to answer.

        Args:
            path: As it came.
            query: Likewise.
            headers: Likewise.
            peer: The address at the connection's other end.
        """
        found = self._routes.get(path)
        if found is None:
            return None
        asked = dict(headers)
        if _HEAD in asked or _CODED in asked:
            return None
        started = perf_counter()
        route, note = found
        try:
            ask = read_query(route.asks, query)
            may = ask is not None and self._may_ask(peer, headers)
            body = route.answer(ask) if may else None
        except Exception:
            # The route itself answers; should it fail as well, that is counted and logged there.
            log.exception("hot route failed")
            return None
        if body is None:
            return None
        made = _sent(body, asked.get(b"accept-encoding", b""))
        seconds = perf_counter() - started
        note(seconds)
        if self._logs_each:
            _log(path, seconds)
        return made

    def _may_ask(self, peer: str, headers: Headers) -> bool:
        """Count a request; where its client has asked too much, the application says so."""
        told = [value for name, value in headers if name == FORWARDED]
        try:
            self._clients.check(self._clients.address(peer, told))
        except TooManyRequestsError:
            return False
        return True


def _log(path: bytes, seconds: float) -> None:
    ms = round(1000 * seconds, 1)
    log.info("request", method="GET", route=path.decode(), status=200, duration_ms=ms)


def _sent(body: bytes, accepted: bytes) -> ReadyAnswer:
    """Return an answer, compressed where that is asked for and pays."""
    if len(body) >= LEAST_COMPRESSED and accepts_gzip(accepted):
        return ReadyAnswer(_GZIPPED_LINES, gzipped(body))
    return ReadyAnswer(_LINES, body)


def read_query(asks: type[BaseModel], query: bytes) -> BaseModel | None:
    """Return what is asked for; None where the query is not plain, or not well."""
    if b"%" in query or b"+" in query:
        return None
    given: dict[str, str] = {}
    try:
        for part in query.decode("ascii").split("&"):
            name, _, value = part.partition("=")
            if name in given:
                return None
            given[name] = value
        return asks.model_validate(given)
    except (UnicodeDecodeError, ValidationError):
        return None
