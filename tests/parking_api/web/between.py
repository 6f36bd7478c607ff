"""A server between a browser and the API that tells the stream itself, and breaks it."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import formatdate
from typing import Any, Self

_HEAD_END = b"\r\n\r\n"


class Between:
    """Passes requests on to the API, all but those for the stream.

    Attributes:
        url: Where it is.
        lots: The states that whoever begins to read is told.
        asked: The paths of the streams that were asked for.
        is_broken: Whether it answers no more.
    """

    def __init__(self, api_port: int) -> None:
        self._api_port = api_port
        self._open: set[asyncio.StreamWriter] = set()
        # Each, and whether it was asked for in columns.
        self._streams: dict[asyncio.StreamWriter, bool] = {}
        self.url = ""
        self.lots: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.is_broken = False

    @classmethod
    @asynccontextmanager
    async def running(cls, api_port: int) -> AsyncIterator[Self]:
        """Serve on a free port of the loopback."""
        made = cls(api_port)
        server = await asyncio.start_server(made._answer, "127.0.0.1", 0)
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield made
        finally:
            server.close()
            made.cut()
            await server.wait_closed()

    def tell(self, *lots: dict[str, Any]) -> None:
        """Tell all readers of the stream states of lots, one after another."""
        texts = {
            False: b"".join(_event("lot", lot) for lot in lots),
            True: _event("states", _columns(lots, are_all=False)),
        }
        for stream, in_columns in self._streams.items():
            stream.write(texts[in_columns])

    def cut(self) -> None:
        """End all connections, in the middle of whatever they carry."""
        for writer in self._open:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            head = await reader.readuntil(_HEAD_END)
            path = head.split(b" ", 2)[1].decode()
            if self.is_broken:
                return
            if path.startswith("/v1/stream"):
                self.asked.append(path)
                await self._tell_all(reader, writer, in_columns="f=columns" in path)
            else:
                await self._pass_on(head, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            self._streams.pop(writer, None)
            writer.close()

    async def _tell_all(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, in_columns: bool
    ) -> None:
        head = f"HTTP/1.1 200 OK\r\nDate: {formatdate(usegmt=True)}\r\n"
        head += "Content-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        if in_columns:
            event = _event("states", _columns(self.lots, are_all=True))
        else:
            event = _event("lots", {"lots": self.lots, "as_of": None})
        writer.write(head.encode() + event)
        self._streams[writer] = in_columns
        await reader.read()

    async def _pass_on(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        answer, request = await asyncio.open_connection("127.0.0.1", self._api_port)
        line, rest = head.split(b"\r\n", 1)
        kept = [each for each in rest.split(b"\r\n") if not each.lower().startswith(b"connection:")]
        request.write(b"\r\n".join([line, b"Connection: close", *kept]))
        sending = asyncio.create_task(_copy(reader, request))
        try:
            await _copy(answer, writer)
        finally:
            sending.cancel()
            request.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
        await writer.drain()


def _event(kind: str, data: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


_COLUMNS = ("lot_id", "capacity", "free_spaces", "unknown_spaces", "status", "data_state")


def _columns(lots: Sequence[dict[str, Any]], *, are_all: bool) -> dict[str, Any]:
    """Return states as the stream has them in columns."""
    seconds = [lot["observed_at"] and _second(lot["observed_at"]) for lot in lots]
    columns = {name: [lot[name] for lot in lots] for name in _COLUMNS}
    return {**columns, "all": are_all, "observed_at": seconds, "closed": {}, "as_of": None}


def _second(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp())
