"""`python -m load_tests.bench.readers PORT FILE`: a reader of `/v1/stream` for each path of a file.

Prints `ready` once all have had their first event, and ends with its input; then prints how many
are left, and how many bytes all have had.
"""

import asyncio
import sys
from pathlib import Path

# Of connections that are made at a time.
_AT_ONCE = 20


class Reader(asyncio.Protocol):
    """One reader: it counts what comes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.began = asyncio.Event()
        self.bytes = 0
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of TCP
        transport.write(f"GET {self._path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Count."""
        self.bytes += len(data)
        if b'"as_of":' in data:
            self.began.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        del exc
        self.is_open = False
        self.began.set()


async def read(port: int, paths: list[str]) -> None:
    """Read until the input ends."""
    loop = asyncio.get_running_loop()
    readers = [Reader(path) for path in paths]
    for start in range(0, len(readers), _AT_ONCE):
        some = readers[start : start + _AT_ONCE]
        for reader in some:
            await loop.create_connection(lambda reader=reader: reader, "127.0.0.1", port)  # type: ignore[misc]
        for reader in some:
            await reader.began.wait()
    print("ready", flush=True)  # noqa: T201 - for whoever has started it
    await asyncio.to_thread(sys.stdin.read)
    print(sum(each.is_open for each in readers), sum(each.bytes for each in readers))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(read(int(sys.argv[1]), Path(sys.argv[2]).read_text().split()))
