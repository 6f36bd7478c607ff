"""A way to a server that a test can cut at any moment."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CHUNK = 65_536
# Close with a reset, as a crashed host or a firewall does.
RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards TCP connections to a port of this machine.

    Attributes:
        is_open: Whether connections are let through.
        flows: Cleared, it takes connections and what they carry, and passes nothing on: to whoever
            asks, the server has frozen.
        budget: Bytes that each further connection may carry before it is reset; None for no end.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.is_open = True
        self.flows = asyncio.Event()
        self.flows.set()
        self.budget: int | None = None
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_open:
            self._reset(writer)
            return
        self.connections += 1
        left = [self.budget]
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers |= {writer, back}
        await asyncio.gather(self._pump(reader, back, left), self._pump(there, writer, left))
        self._writers -= {writer, back}

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: list[int | None]
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if left[0] is not None:
                    left[0] -= len(data)
                    if left[0] < 0:
                        # In the middle of a packet.
                        writer.write(data[: len(data) // 2])
                        self.cut()
                        return
                await self.flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        """Reset every connection that there is."""
        for writer in self._writers:
            self._reset(writer)

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()


@asynccontextmanager
async def proxy_to(target: int) -> AsyncIterator[Proxy]:
    """A proxy to a port, on a free port of its own."""
    made = Proxy(target)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.cut()
