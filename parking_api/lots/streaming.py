"""Tells the changes of lots as server-sent events: `/v1/stream`.

Nothing waits for a reader. Each one looks by itself, once a second (twice, where states come in
columns), which of its lots have changed since it looked last, and sends their present states: one
that is slow looks less often, and misses only what has been overtaken. A text is made once for each
state, and all readers send the same.

| what is kept | how much |
|---|---|
| of each lot | when it changed last, and its text, in each `crs` that was asked for |
| of states in columns | a text for all readers that are to be told of the same lots |
| of each reader | which lots it asked for, and when it looked last |
| of what a reader has not taken | 64 KiB, and a piece: beyond that its sending waits |

Who takes nothing for `body_timeout_s` is cut off, as with any answer (`parking_api.connections`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import numpy as np
import orjson
from fastapi import Depends, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from parking_api.city.grid import Indices
from parking_api.city.memory import City
from parking_api.city.states import micros
from parking_api.city.table import Table
from parking_api.clients import Bounded
from parking_api.coordinates import Crs, placed
from parking_api.errors import ApiError
from parking_api.lots.columns import state_columns
from parking_api.lots.service import lot_state
from parking_api.lots.stream_models import StreamAsk
from parking_api.public_reads import IS_HEAD
from parking_api.resources import Deps

EVENT_STREAM: Final = "text/event-stream"
# A lot is told once in it at most. Columns cost a hundredth of texts, and maps are to show a change
# within a second, with the ways of the report and of the page.
EVERY_S: Final = 1.0
COLUMNS_EVERY_S: Final = 0.5
HEARTBEAT_S: Final = 15.0
RADIUS_M: Final = 2000.0
_HEARTBEAT: Final = b":\n\n"
# Whoever looks first in it looks for all.
_LOOK_MICROS: Final = 100_000
# Lots that are written at a time: 2 ms where no text is there yet.
_PIECE: Final = 100
# Of states in columns: what is kept for others, until a lot changes; and what is sent at a time.
_MOST_TEXTS: Final = 100
_PIECE_BYTES: Final = 65_536
# Readers that came at once come back, and look, at times that lie apart: multiples of it, modulo 1,
# are evenly spread (the golden ratio's low-discrepancy sequence).
_SPREAD: Final = 0.618_033_988_749_895
_HEADERS: Final = {
    "Cache-Control": "no-store",
    # Who comes back must be able to reach another process.
    "Connection": "close",
    # nginx would wait for more.
    "X-Accel-Buffering": "no",
}


class TooManyReadersError(ApiError, status=HTTPStatus.SERVICE_UNAVAILABLE, kind="too-many-readers"):
    """This process has as many readers of the stream as it takes."""


class TooManyOwnReadersError(
    ApiError, status=HTTPStatus.TOO_MANY_REQUESTS, kind="too-many-own-readers"
):
    """As many streams run to this address as one client may read."""


class Watched:
    """The lots of a table, and of each when it changed last; for as long as they are the same.

    Attributes:
        serial: The number of the latest change.
        serials: The number of each lot's latest change.
    """

    def __init__(self, table: Table, now: int) -> None:
        self.table = table
        self.serial = 0
        self.serials = np.zeros(len(table.lots), dtype=np.int64)
        self._now = now
        self._marks = table.marks(now)
        self._texts: dict[Crs, list[bytes | None]] = {}
        self._columns: dict[tuple[bytes, bool], bytes] = {}

    def are_of(self, table: Table) -> bool:
        """Return whether a table has the same lots, at the same places."""
        return table is self.table or table.places == self.table.places

    def look(self, table: Table, now: int) -> None:
        """Note which lots have changed."""
        marks = table.marks(now)
        changed = marks.changed_since(self._marks)
        self.table, self._marks, self._now = table, marks, now
        if len(changed):
            self.serial += 1
            self.serials[changed] = self.serial
            self._columns = {}
            for index in changed.tolist():
                for texts in self._texts.values():
                    texts[index] = None

    def texts(self, lots: Indices, crs: Crs) -> list[bytes]:
        """Return the present states of some lots, each as JSON with its place in `crs`."""
        known = self._texts.setdefault(crs, [None] * len(self.table.lots))
        found = []
        for index in lots.tolist():
            text = known[index]
            if text is None:
                row = self.table.at(self.table.lots[index], self._now)
                text = known[index] = orjson.dumps(placed(lot_state(row), crs))
            found.append(text)
        return found

    def columns(self, lots: Indices, as_of: datetime | None, *, are_all: bool) -> bytes:
        """Return the states of some lots in columns, as of the latest look."""
        key = lots.tobytes(), are_all
        text = self._columns.get(key)
        if text is None:
            if len(self._columns) >= _MOST_TEXTS:
                self._columns = {}
            text = state_columns(self.table, self._marks, lots, as_of, are_all=are_all)
            self._columns[key] = text
        return text


class Changes:
    """The changes of all lots, and their readers.

    Args:
        city: Whose.
        clock: What time it is, aware.
        most: Readers at a time.
        most_own: Readers of one client.
        note_readers: Called with the number of readers.
    """

    def __init__(
        self,
        city: City,
        clock: Callable[[], datetime],
        most: int,
        most_own: int,
        note_readers: Callable[[int], None],
    ) -> None:
        self._city = city
        self._clock = clock
        self._most = most
        self._note_readers = note_readers
        self._watched: Watched | None = None
        self._looked = 0
        self._readers = 0
        self._own = Bounded(most_own)
        self._came = 0
        self._pausing: set[asyncio.Future[None]] = set()
        self._is_closed = False

    def close(self) -> None:
        """End all streams; those that come are ended after the present state."""
        self._is_closed = True
        for pause in self._pausing:
            _end(pause)

    def admit(self, client: str | None) -> None:
        """Make sure that there is room for a reader.

        Args:
            client: Whose; None for one without limits.

        Raises:
            TooManyReadersError: There is none.
            TooManyOwnReadersError: There is none for this client.
        """
        if self._readers >= self._most:
            raise TooManyReadersError
        if not self._own.has_room(client):
            raise TooManyOwnReadersError

    @contextmanager
    def reading(self, client: str | None) -> Iterator[None]:
        """Count a reader; see `admit`."""
        self._readers += 1
        self._own.add(client)
        self._note_readers(self._readers)
        try:
            yield
        finally:
            self._readers -= 1
            self._own.remove(client)
            self._note_readers(self._readers)
            if not self._readers:
                # Nobody would look, and a table that has been replaced would stay.
                self._watched = None

    async def events(self, ask: StreamAsk) -> AsyncIterator[bytes]:
        """Yield events: the present state of all lots asked for, then changes."""
        self._came += 1
        phase = self._came * _SPREAD % 1
        yield b"retry: %d\n\n" % (1000 + 2000 * phase)
        watched, lots, seen = None, np.empty(0, dtype=np.intp), 0
        every_s = COLUMNS_EVERY_S if ask.f == "columns" else EVERY_S
        pause_s, silent_s = every_s + phase, 0.0
        while True:
            present = self._look()
            if present is not watched:
                watched, lots = present, _chosen(present.table, ask)
                pieces = self._pieces(watched, lots, ask, are_all=True)
            else:
                changed = lots[watched.serials[lots] > seen]
                pieces = self._pieces(watched, changed, ask, are_all=False)
            seen = watched.serial
            for piece in pieces:
                silent_s = 0.0
                yield piece
                # Sending waits only for a peer that is slow.
                await asyncio.sleep(0)
            if self._is_closed:
                return
            if silent_s >= HEARTBEAT_S:
                silent_s = 0.0
                yield _HEARTBEAT
            await self._pause(pause_s)
            silent_s += pause_s
            pause_s = every_s

    def _pieces(
        self, watched: Watched, lots: Indices, ask: StreamAsk, *, are_all: bool
    ) -> Iterator[bytes]:
        """Return the events of all lots asked for, or of those that have changed."""
        as_of = self._city.as_of
        if ask.f == "columns":
            return _columns_of(watched, lots, as_of, are_all=are_all)
        if are_all:
            return _all_of(watched, lots, ask.crs, as_of)
        return _some_of(watched, lots, ask.crs)

    def _look(self) -> Watched:
        """Note what has changed, unless that was done just now."""
        now, table = micros(self._clock()), self._city.table
        watched = self._watched
        if watched is None or not watched.are_of(table):
            watched = self._watched = Watched(table, now)
        elif table is not watched.table or now // _LOOK_MICROS != self._looked:
            watched.look(table, now)
        self._looked = now // _LOOK_MICROS
        return watched

    async def _pause(self, seconds: float) -> None:
        """Wait for some time, or until the streams end."""
        loop = asyncio.get_running_loop()
        pause = loop.create_future()
        self._pausing.add(pause)
        timer = loop.call_later(seconds, _end, pause)
        try:
            await pause
        finally:
            timer.cancel()
            self._pausing.discard(pause)


def _end(pause: "asyncio.Future[None]") -> None:
    if not pause.done():
        pause.set_result(None)


def _chosen(table: Table, ask: StreamAsk) -> Indices:
    """Return the lots that are asked for; names that no lot has are passed over."""
    if ask.lots is not None:
        named = (table.by_id.get(lot_id) for lot_id in set(ask.lots.split(",")))
        return np.array(sorted(lot.index for lot in named if lot is not None), dtype=np.intp)
    if ask.lon is None or ask.lat is None:
        return np.flatnonzero(table.in_box(*ask.box(ask.bbox or "")))
    return table.within(*ask.place(ask.lon, ask.lat), ask.radius_m or RADIUS_M)


def _all_of(watched: Watched, lots: Indices, crs: Crs, as_of: datetime | None) -> Iterator[bytes]:
    """Yield one event of all lots, piece by piece."""
    begin = b'event: lots\ndata: {"lots":['
    for start in range(0, len(lots), _PIECE):
        yield begin + b",".join(watched.texts(lots[start : start + _PIECE], crs))
        begin = b","
    yield (b"" if len(lots) else begin) + b'],"as_of":%b}\n\n' % orjson.dumps(as_of)


def _some_of(watched: Watched, lots: Indices, crs: Crs) -> Iterator[bytes]:
    """Yield an event for each lot, many at a time."""
    for start in range(0, len(lots), _PIECE):
        texts = watched.texts(lots[start : start + _PIECE], crs)
        yield b"".join(b"event: lot\ndata: %b\n\n" % text for text in texts)


def _columns_of(
    watched: Watched, lots: Indices, as_of: datetime | None, *, are_all: bool
) -> Iterator[bytes]:
    """Yield one event of some lots, piece by piece; none where there is nothing to tell."""
    if are_all or len(lots):
        text = watched.columns(lots, as_of, are_all=are_all)
        event = b"event: states\ndata: %b\n\n" % text
        for start in range(0, len(event), _PIECE_BYTES):
            yield event[start : start + _PIECE_BYTES]


class EventStream(StreamingResponse):
    """The answer to one reader."""

    media_type = EVENT_STREAM

    def __init__(self, changes: Changes, ask: StreamAsk, client: str | None) -> None:
        super().__init__(changes.events(ask), headers=_HEADERS)
        self._changes, self._client = changes, client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the reader leaves, or the streams end; the head alone for a HEAD."""
        if IS_HEAD in scope:
            # An answer in one piece gets `no-store` as every public one does.
            headers = {name: value for name, value in _HEADERS.items() if name != "Cache-Control"}
            await Response(headers=headers, media_type=EVENT_STREAM)(scope, receive, send)
            return
        with self._changes.reading(self._client):
            await super().__call__(scope, receive, send)


async def _changes(request: Request, _: Deps) -> Changes:
    changes: Changes = request.app.state.changes
    return changes


CurrentChanges = Annotated[Changes, Depends(_changes)]
