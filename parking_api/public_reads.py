"""What every public read has: CORS, HEAD, OPTIONS, compression, and an ETag or `no-store`.

Problems, of all routes, come in the language that is asked for.

| answer | `Cache-Control` | why |
|---|---|---|
| of states, ages or the clock (`LIVE`, `OF_NOW`), to a POST, a problem | `no-store` | it is new |
| that says itself how long it is kept | its own; sent as it is | what pages load never changes |
| any other | `no-cache`, with an ETag | it changes by imports and publications |

Public is what a route answers whose caller need not say who they are.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from http import HTTPStatus
from typing import Final

import orjson
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parking_api.connections import CORS, NO_STORE
from parking_api.errors import PROBLEM_JSON
from parking_api.languages import in_chinese, preferred, title_in_chinese
from parking_api.strict_route import admissions_of
from parking_api.worker import BusyError, off_loop

Header = tuple[bytes, bytes]

# Answers of fewer bytes are sent as they are.
LEAST_COMPRESSED: Final = 500
# The path's template of routes whose answers change without anybody's act.
LIVE: Final = frozenset(
    {
        "/v1/nearest",
        "/v1/spaces/nearest",
        "/v1/stream",
        "/v1/lots",
        "/v1/lots/{lot_id}",
        "/v1/lots/{lot_id}/spaces",
        "/v1/city",
        "/healthz",
        "/readyz",
        "/metrics",
    }
)
# Routes that answer as of now, and say when that is, unless they are asked for a time.
OF_NOW: Final = frozenset({"/v1/zones"})
# Reads that are asked by POST, since their questions are long.
POSTED: Final = frozenset({"/v1/quotes"})
# A HEAD is answered by the route of GET, which finds this in its scope.
IS_HEAD: Final = "onelot.head"

# Of every answer of a hot route.
LIVE_HEADERS: Final[Sequence[Header]] = (CORS, NO_STORE)
GZIPPED: Final[Header] = (b"content-encoding", b"gzip")
_PREFLIGHT: Final[Sequence[Header]] = (
    CORS,
    (b"access-control-allow-headers", b"*"),
    (b"access-control-max-age", b"86400"),
)
# Beside those that a page may see anyway.
_EXPOSED: Final = (b"etag", b"retry-after")
# An answer of 6,000 bytes takes 0.1 ms; a higher level 30 % more, for 5 % fewer bytes.
_LEVEL: Final = 1
# Zlib's number for a gzip header with the largest window.
_GZIP_WINDOW: Final = 31
# Above this the loop does not wait: 0.6 ms.
_INLINE_BYTES: Final = 100_000
_TAG_BYTES: Final = 12
_PROBLEM: Final = PROBLEM_JSON.encode()


def accepts_gzip(value: bytes) -> bool:
    """Return whether an `Accept-Encoding` allows gzip."""
    return accepts(value, b"gzip")


def accepts(value: bytes, wanted: bytes) -> bool:
    """Return whether an `Accept-Encoding` names a coding and allows it (RFC 9110, 12.5.3)."""
    value = value.lower()
    if wanted not in value:
        return False
    for part in value.split(b","):
        coding, _, weight = part.partition(b";")
        if coding.strip() == wanted:
            return b"".join(weight.split()).rstrip(b"0.") != b"q="
    return False


def gzipped(body: bytes, level: int = _LEVEL) -> bytes:
    """Return a body as gzip."""
    writer = zlib.compressobj(level, zlib.DEFLATED, _GZIP_WINDOW)
    return writer.compress(body) + writer.flush()


class KeptAnswer:
    """A public answer that many get: written, compressed and given its ETag once.

    It is made beside the loop. It says itself how it is kept, so that it is sent as it is.

    Args:
        body: As it is sent to who takes no gzip.
        media_type: Its type.
    """

    def __init__(self, body: bytes, media_type: str) -> None:
        self._body = body
        self._packed = gzipped(body, zlib.Z_BEST_COMPRESSION)
        self._media_type = media_type
        caching = _caching(body)
        self._tag = dict(caching)[b"etag"]
        self._headers = {name.decode(): value.decode() for name, value in caching}

    def answer(self, scope: Scope) -> Response:
        """Return the answer to a request, or 304 to who has it already."""
        asked = dict(scope["headers"])
        if _is_known(asked.get(b"if-none-match", b""), self._tag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=self._headers)
        body, headers = self._body, self._headers
        is_large = len(body) >= LEAST_COMPRESSED
        if is_large and accepts_gzip(asked.get(b"accept-encoding", b"")):
            body, headers = self._packed, {**headers, "Content-Encoding": "gzip"}
        return Response(body, headers=headers, media_type=self._media_type)


class Options:
    """ASGI middleware that answers OPTIONS, also as a browser asks before a request (CORS).

    Args:
        app: What answers all else.
        routes: Of the application.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer OPTIONS of a path that there is; pass all else on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and (found := self._at(scope)):
            scope["route"] = found[0]
            allowed = (b"allow", _methods(found))
            headers = [allowed]
            if public := [route for route in found if is_public(route)]:
                methods = (b"access-control-allow-methods", _methods(public))
                headers += [*_PREFLIGHT, methods]
            start = {"type": "http.response.start", "status": 204, "headers": headers}
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return

        async def sending(message: Message) -> None:
            if message.get("status") == HTTPStatus.METHOD_NOT_ALLOWED:
                # The router names the methods of one route alone.
                rest = [each for each in message["headers"] if each[0] != b"allow"]
                allow = (b"allow", _methods(self._at(scope)))
                message = {**message, "headers": [*rest, allow]}
            await send(message)

        await self._app(scope, receive, sending)

    def _at(self, scope: Scope) -> list[Route]:
        """Return the routes at a path, for any method."""
        routes = (context.original_route for context in iter_route_contexts(self._routes))
        return [
            route
            for route in routes
            if isinstance(route, Route) and route.matches(dict(scope))[0] is not Match.NONE
        ]


def _methods(routes: Iterable[Route]) -> bytes:
    methods = {method for route in routes for method in route.methods or ()}
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted(methods | {"OPTIONS"})).encode()


def is_public(route: object) -> bool:
    """Return whether a route is a read for anyone."""
    if not isinstance(route, APIRoute):
        return True
    if "GET" not in (route.methods or ()) and route.path not in POSTED:
        return False
    return not admissions_of(route.dependant)


class PublicReads:
    """ASGI middleware that answers HEAD, and gives public answers what they all have."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._is_public: dict[int, bool] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET", IS_HEAD: True}
        start: Message = {}

        async def sending(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            elif start:
                start, first = {}, start
                await self._send(scope, first, message, send)
            else:
                await send(message)

        await self._app(scope, receive, sending)

    async def _send(self, scope: Scope, start: Message, body: Message, send: Send) -> None:
        """Send an answer's head with its first piece, or with all of it."""
        is_whole = not body.get("more_body", False)
        if is_whole and start["status"] >= HTTPStatus.BAD_REQUEST:
            start, body = _in_language(scope, start, body)
        # Options that there are have been answered as a whole.
        is_answered = scope["method"] == "OPTIONS" and start["status"] < HTTPStatus.BAD_REQUEST
        if not is_answered and self._is_open(scope):
            start, body = await _public(scope, start, body) if is_whole else (_open(start), body)
        if IS_HEAD in scope:
            body = {**body, "body": b""}
        await send(start)
        await send(body)

    def _is_open(self, scope: Scope) -> bool:
        route = scope.get("route")
        # Routes have no hash; they stay as long as the application.
        known = self._is_public.get(id(route))
        if known is None:
            known = self._is_public[id(route)] = is_public(route)
        return known


def _open(start: Message, *headers: Header) -> Message:
    """Return the head of an answer that any page may read."""
    seen = {name for name, _ in [*start["headers"], *headers]}
    shown = [name for name in _EXPOSED if name in seen]
    exposed = [(b"access-control-expose-headers", b", ".join(shown))] if shown else []
    return {**start, "headers": [*start["headers"], CORS, *headers, *exposed]}


async def _public(scope: Scope, start: Message, body: Message) -> tuple[Message, Message]:
    """Return head and body of a public answer as it is sent."""
    if any(name == b"cache-control" for name, _ in start["headers"]):
        return _open(start), body
    asked = dict(scope["headers"])
    text = body.get("body", b"")
    caching: list[Header] = [NO_STORE]
    if start["status"] == HTTPStatus.OK and scope["method"] == "GET" and not _is_live(scope):
        caching = _caching(text)
        if _is_known(asked.get(b"if-none-match", b""), dict(caching)[b"etag"]):
            status = {"status": int(HTTPStatus.NOT_MODIFIED), "headers": []}
            return _open({**start, **status}, *caching), {**body, "body": b""}
    return await _compressed(asked, _open(start, *caching), body)


def _caching(text: bytes) -> list[Header]:
    """Return the headers by which an answer is kept, and asked for again."""
    tag = b'W/"%b"' % blake2b(text, digest_size=_TAG_BYTES).hexdigest().encode()
    vary = b"Accept-Encoding, Authorization"
    return [(b"cache-control", b"no-cache"), (b"etag", tag), (b"vary", vary)]


def _in_language(scope: Scope, start: Message, body: Message) -> tuple[Message, Message]:
    """Return a problem in the language that is asked for."""
    asked = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
    headers = dict(start["headers"])
    if headers.get(b"content-type") != _PROBLEM or preferred(asked) == "en":
        return start, body
    told = orjson.loads(body["body"])
    told["title"] = title_in_chinese(told["status"]) or told["title"]
    told["detail"] = in_chinese(told["detail"]) or told["detail"]
    text = orjson.dumps(told)
    headers[b"content-length"] = b"%d" % len(text)
    headers[b"content-language"] = b"zh"
    return {**start, "headers": list(headers.items())}, {**body, "body": text}


def _is_live(scope: Scope) -> bool:
    path = getattr(scope.get("route"), "path", "")
    return path in LIVE or (path in OF_NOW and b"at=" not in scope["query_string"])


def _is_known(known: bytes, tag: bytes) -> bool:
    """Return whether an `If-None-Match` names a tag; weak ones are the same (RFC 9110, 13.1.2)."""
    bare = tag.removeprefix(b"W/")
    tags = [each.strip() for each in known.split(b",")]
    return tags == [b"*"] or bare in {each.removeprefix(b"W/") for each in tags}


async def _compressed(
    asked: Mapping[bytes, bytes], start: Message, body: Message
) -> tuple[Message, Message]:
    text = body.get("body", b"")
    if len(text) < LEAST_COMPRESSED or not accepts_gzip(asked.get(b"accept-encoding", b"")):
        return start, body
    try:
        packed = await off_loop(gzipped, text) if len(text) > _INLINE_BYTES else gzipped(text)
    except BusyError:
        # Nobody is owed fewer bytes.
        return start, body
    rest = [each for each in start["headers"] if each[0] != b"content-length"]
    size = (b"content-length", b"%d" % len(packed))
    return {**start, "headers": [*rest, size, GZIPPED]}, {**body, "body": packed}
