"""The HTTP server: uvicorn on httptools, with bounds on each connection.

Measured on one constant answer, 32 connections, one core (requests a second), and tried with
hostile requests:

| server | requests/s | bounds a head | ends half-sent requests | ends idle ones | too many |
|---|---|---|---|---|---|
| uvicorn, httptools | 50,000 | no | no | after an answer only | plain 503 |
| uvicorn, h11 | 16,000 | bytes | no | after an answer only | plain 503 |
| granian | 81,000 | bytes, empty 431 | yes | yes | waits, unaccepted |
| hypercorn | 9,000 | bytes, empty 431 | yes | yes | waits, unaccepted |

Granian is the fastest, but it answers nobody, not even `/healthz`, while its connections are full
of half-sent requests; its refusals are not problems of RFC 9457; and it always has a second
process. This file adds what uvicorn lacks: the connection that has waited longest is closed for a
new one, so that a flood of half-sent requests harms only itself.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import uvicorn
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from parking_api.clients import Bounded, Clients, TooManyRequestsError
from parking_api.errors import problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

MAX_HEAD_BYTES: Final = 16_384
MAX_HEADERS: Final = 64
MAX_URL_BYTES: Final = 4096
# Requests of one connection that wait for the answers before them.
MAX_PIPELINED: Final = 4
# How long and how much is still read, and discarded, from a peer that has its answer already. If
# the connection were closed at once, the data that the peer still sends would make it lose the
# answer.
LINGER_S: Final = 5.0
LINGER_BYTES: Final = 32 * 2**20
# Bytes of answers that peers have not read yet, over all connections. Above it, the connections
# with most unread bytes are ended.
MAX_UNSENT_BYTES: Final = 64 * 2**20
# Late connections that are ended in each of uvicorn's ticks of 0.1 s: other requests must not wait
# while hundreds are ended.
MOST_ENDED: Final = 20

# What each refusal of the server itself says.
REFUSALS: Final = {
    HTTPStatus.BAD_REQUEST: "The request could not be read as HTTP/1.1.",
    HTTPStatus.REQUEST_TIMEOUT: "The request did not come in time.",
    HTTPStatus.REQUEST_URI_TOO_LONG: f"A URL has at most {MAX_URL_BYTES} bytes.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        f"A request has at most {MAX_HEADERS} headers, and {MAX_HEAD_BYTES} bytes of them."
    ),
    HTTPStatus.TOO_MANY_REQUESTS: str(TooManyRequestsError.__doc__),
    HTTPStatus.SERVICE_UNAVAILABLE: "All connections are busy.",
}
# And of what kind it is.
KINDS: Final = {HTTPStatus.TOO_MANY_REQUESTS: TooManyRequestsError.kind}

# Names in lower case.
Headers = list[tuple[bytes, bytes]]
CORS: Final = (b"access-control-allow-origin", b"*")
NO_STORE: Final = (b"cache-control", b"no-store")
# Of every answer: it is what its type says, it is shown in no frame, and tells no other site where
# its reader came from.
SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)


class ReadyAnswer(NamedTuple):
    """An answer: 200.

    Attributes:
        lines: Its headers as lines of HTTP/1.1, but for those that every answer has.
        body: As it is sent.
    """

    lines: bytes
    body: bytes


_NOT_ASCII: Final = (
    "The URL holds characters that are not ASCII: percent-encode them, as %E4%BA%94 for 五 (curl: "
    "-G --data-urlencode)."
)


class _Refused(Exception):  # noqa: N818 - it never leaves this file
    """Stop parsing: the request is refused."""


@dataclass
class Connections:
    """The settings and the state that all connections of a server share.

    Attributes:
        most: Connections at a time.
        head_s: Longest time for a request's line and headers, seconds.
        body_s: Longest time for its body; and for a peer that takes no bytes of an answer.
        on_refused: Called with the status of each refusal.
        answer: Answers a GET at once, without the application, from its path, query and headers as
            they came, and the peer's address; None where the application is to answer.
        clients: Tells clients apart.
        own: How many connections each client has.
        apart: A port whose requests the application alone answers.
        waiting: Connections that wait for their peers, the longest waiting first: for the rest of a
            request, for the next one, or for the peer to take its answer.
        is_last: Whether every answer from now on is its connection's last.
    """

    most: int
    head_s: float
    body_s: float
    on_refused: Callable[[int], None] = lambda _: None
    answer: Callable[[bytes, bytes, Headers, str], ReadyAnswer | None] = lambda *_: None
    clients: Clients = field(default_factory=Clients)
    own: Bounded = field(default_factory=lambda: Bounded(sys.maxsize))
    apart: int | None = None
    waiting: dict[BoundedProtocol, None] = field(default_factory=dict)
    is_last: bool = False
    _headers: Sequence[tuple[bytes, bytes]] = ()
    _head: bytes = b""

    def head(self, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """Return how an answer begins: its status, 200, and the server's own headers.

        Args:
            headers: These; the server makes new ones when the date changes.
        """
        if headers is not self._headers:
            self._headers = headers
            self._head = STATUS_LINE[HTTPStatus.OK] + lines_of(headers)
        return self._head


class BoundedProtocol(HttpToolsProtocol):
    """A connection with bounds on bytes, requests and seconds."""

    def __init__(self, shared: Connections, **uvicorn_arguments: Any) -> None:  # noqa: ANN401 - as uvicorn has them
        super().__init__(**uvicorn_arguments)
        self._shared = shared
        # When the request that is coming in began; None between two of them.
        self._began: float | None = None
        self._in_head = True
        self._head_bytes = 0
        self._stuck_at: float | None = None
        self._closing_at: float | None = None
        self._refusal = HTTPStatus.BAD_REQUEST
        self._is_refused = False
        # What is being parsed.
        self._came = b""
        self._discarded = 0
        self._size = 0
        # Requests of the bytes that came last which were answered at once; whether this one was.
        self._at_once = 0
        self._has_answer = False
        # What is being answered; `cycle` is what came last.
        self._answering: RequestResponseCycle | None = None
        # The peer; whose connection it is, None for one without limits.
        self._peer = ""
        self._owner: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection; if all are in use, end the one that has waited longest."""
        is_full = len(self.connections) >= self._shared.most
        super().connection_made(transport)
        self._began = self.loop.time()
        self._peer = self.client[0] if self.client else ""
        if not self._shared.clients.is_proxy(self._peer):
            self._owner = self._shared.clients.limited(self._peer)
        has_room = self._shared.own.has_room(self._owner)
        self._shared.own.add(self._owner)
        if not has_room:
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS)
            return
        if is_full and not self._shared.waiting:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        if is_full:
            next(iter(self._shared.waiting)).give_way()
        self._shared.waiting[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._shared.waiting.pop(self, None)
        self._shared.own.remove(self._owner)
        self._drop_answers()
        super().connection_lost(exc)

    def give_way(self) -> None:
        """End this waiting connection at once, to make room for another."""
        self._shared.waiting.pop(self, None)
        self.connections.discard(self)
        self.abort()

    def abort(self) -> None:
        """End the connection at once, and drop its answers."""
        self._drop_answers()
        self.transport.abort()

    def _drop_answers(self) -> None:
        """Write nothing more, and start none of the answers that wait."""
        self.pipeline.clear()
        for cycle in (self._answering, self.cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

    def _settle(self) -> None:
        """Note whether the connection waits for its peer; one that waits keeps its place."""
        is_answered = self.cycle is None or self.cycle.response_complete
        waits = self._began is not None or is_answered or self.flow.write_paused
        if self.parser is None or not waits:
            self._shared.waiting.pop(self, None)
        else:
            self._shared.waiting.setdefault(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came, within the bounds of a request's head."""
        if self._is_refused:
            self._discard(len(data))
            return
        self._at_once = 0
        if self._began is None:
            self._begin()
        if self._in_head:
            self._head_bytes += len(data)
        self._came = data
        super().data_received(data)
        self._came = b""
        # A head in one piece is measured by its parts; this is one that does not end.
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self._is_refused:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _begin(self) -> None:
        self._began, self._in_head, self._head_bytes = self.loop.time(), True, 0

    # The parser's callbacks.

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._begin()
        # Of this chunk at least so much is its own.
        self._head_bytes = 1
        self._size = 0
        if len(self.pipeline) >= MAX_PIPELINED:
            raise _Refused

    def on_url(self, url: bytes) -> None:
        """Take a piece of the URL."""
        super().on_url(url)
        if len(self.url) > MAX_URL_BYTES:
            self._refusal = HTTPStatus.REQUEST_URI_TOO_LONG
            raise _Refused

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        super().on_header(name, value)
        self._size += len(name) + len(value)
        if len(self.headers) > MAX_HEADERS or self._size > MAX_HEAD_BYTES:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise _Refused

    def on_headers_complete(self) -> None:
        """Start the answer."""
        # The parser lets in lines without a version: whoever sends them reads no headers.
        if self.parser.get_http_version() not in ("1.0", "1.1"):
            raise _Refused
        if sum(name == b"host" for name, _ in self.headers) > 1:
            raise _Refused
        self._in_head = False
        self._has_answer = self._answer_at_once()
        if self._has_answer:
            return
        super().on_headers_complete()
        if self._shared.is_last:
            self.mark_last()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a request's body."""
        if not self._has_answer:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._began = None
        if not self._has_answer:
            super().on_message_complete()
        self._settle()

    def on_response_complete(self) -> None:
        """End an answer."""
        super().on_response_complete()
        self._settle()

    def _answer_at_once(self) -> bool:
        """Answer a GET without a task of its own, if that can be done; return whether it was."""
        is_behind = self.cycle is not None and not self.cycle.response_complete
        is_apart = self.server is not None and self.server[1] == self._shared.apart
        if is_apart or is_behind or self.flow.write_paused or self._at_once >= MAX_PIPELINED:
            return False
        parser = self.parser
        if parser.get_method() != b"GET" or parser.should_upgrade() or self.transport.is_closing():
            return False
        path, _, query = self.url.partition(b"?")
        answer = self._shared.answer(path, query, self.headers, self._peer)
        if answer is None:
            return False
        self._at_once += 1
        # A client of HTTP/1.0 would have to be told that the connection stays.
        is_last = (
            self._shared.is_last
            or not parser.should_keep_alive()
            or parser.get_http_version() != "1.1"
        )
        head = self._shared.head(self.server_state.default_headers)
        size = b"content-length: %d\r\n" % len(answer.body)
        end = b"connection: close\r\n\r\n" if is_last else b"\r\n"
        self.transport.write(b"".join((head, answer.lines, size, end, answer.body)))
        if is_last:
            self.transport.close()
        super().on_response_complete()
        return True

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Begin an answer, once the peer has taken those before it."""
        self._answering = cycle

        async def in_turn(
            scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
        ) -> None:
            await self.flow.drain()
            if not cycle.disconnected:
                await app(scope, receive, send)

        super()._start_asgi_task(cycle, in_turn if self.flow.write_paused else app)

    # The orderly end.

    @property
    def is_idle(self) -> bool:
        """Whether it has been answered, and asks nothing."""
        return self._began is None and (self.cycle is None or bool(self.cycle.response_complete))

    def mark_last(self) -> None:
        """Mark the answer that is about to start, if any, as the connection's last."""
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = False

    # Refusals.

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that cannot be parsed, or that was refused during parsing."""
        del msg
        is_url = self._in_head and not self._came.partition(b"\r\n")[0].isascii()
        is_bad = self._refusal == HTTPStatus.BAD_REQUEST
        self._refuse(self._refusal, _NOT_ASCII if is_url and is_bad else None)

    def _refuse(self, status: HTTPStatus, detail: str | None = None) -> None:
        """Send the refusal, ignore further input, and close once it is sent."""
        self._is_refused = True
        self._shared.on_refused(status)
        cycle = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        if is_answering and self._in_head:
            # Answers that are under way come first; they are the connection's last.
            cycle.keep_alive = False
            return
        is_begun = bool(self.pipeline) or (is_answering and cycle.response_started)
        if is_answering:
            # It is the body of this request that is at fault: nobody else answers it.
            self._drop_answers()
        if is_begun:
            self.transport.close()
            return
        self.transport.write(_written(status, detail or REFUSALS[status]))
        self.transport.write_eof()
        self.flow.resume_reading()
        self._closing_at = self.loop.time()

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._discarded > LINGER_BYTES:
            self.abort()

    def pause_writing(self) -> None:
        """Note that the peer reads no more bytes."""
        self._stuck_at = self.loop.time()
        super().pause_writing()
        self._settle()

    def resume_writing(self) -> None:
        """Note that the peer reads again."""
        self._stuck_at = None
        super().resume_writing()
        self._settle()

    def end_if_late(self, now: float) -> bool:
        """End the connection if it is late; return whether it was."""
        if self._closing_at is None and self.transport.is_closing():
            self._closing_at = now
        body_s = self._shared.body_s
        if self._closing_at is not None:
            # One that only has to be written to its end may take as long as any answer.
            is_over = now - self._closing_at > (LINGER_S if self._is_refused else body_s)
        else:
            is_over = self._stuck_at is not None and now - self._stuck_at > body_s
        if is_over:
            self.abort()
        elif self._began is not None and not self._is_refused and self._closing_at is None:
            return self._refuse_if_late(now - self._began)
        return is_over

    def _refuse_if_late(self, age_s: float) -> bool:
        if age_s <= (self._shared.head_s if self._in_head else self._shared.body_s):
            return False
        if self._in_head and not self._head_bytes:
            # Opened ahead of time, as browsers do, and never used.
            self.transport.close()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        return True


class BoundedServer(uvicorn.Server):
    """A uvicorn server that ends connections that are late."""

    def bounded(self) -> list[BoundedProtocol]:
        """Return the connections that are open."""
        return [each for each in self.server_state.connections if isinstance(each, BoundedProtocol)]

    async def on_tick(self, counter: int) -> bool:
        """Check all connections; called ten times a second."""
        now = asyncio.get_running_loop().time()
        open_ones = self.bounded()
        ended = 0
        for connection in open_ones:
            ended += connection.end_if_late(now)
            if ended >= MOST_ENDED:
                break
        drop_unsent(open_ones)
        return await super().on_tick(counter)


def drop_unsent(connections: Iterable[BoundedProtocol]) -> None:
    """End the connections with most unread bytes, until the rest is below the bound."""
    unsent = {each: each.transport.get_write_buffer_size() for each in connections}
    total = sum(unsent.values())
    for connection in sorted(unsent, key=lambda each: unsent[each], reverse=True):
        if total <= MAX_UNSENT_BYTES:
            return
        total -= unsent[connection]
        connection.abort()


def _written(status: HTTPStatus, detail: str) -> bytes:
    """Return a refusal as bytes of HTTP."""
    passes = status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}
    headers = {"Retry-After": "1"} if passes else None
    answer = problem(status, detail, headers=headers, kind=KINDS.get(status))
    # No route has seen it: it may have been for one that any page may read.
    lines = lines_of([*answer.raw_headers, *SECURITY, CORS, NO_STORE, (b"connection", b"close")])
    return STATUS_LINE[status] + lines + b"\r\n" + bytes(answer.body)


def lines_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write headers as lines of HTTP/1.1."""
    return b"".join(name + b": " + value + b"\r\n" for name, value in headers)
