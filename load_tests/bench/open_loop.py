"""Asks at a rate that does not depend on answers: `python -m load_tests.bench.open_loop URL PATHS`.

Questions come by a Poisson process. The latency of each begins when it was due, also where it had
to wait for a connection, so that a stall of the server shows in all that were due meanwhile. Timers
have a resolution of a millisecond, which is in the latencies. Prints JSON: `requests`, `wrong`,
`per_s`, `p50_ms`, `p99_ms`, `longest_ms`; ends after its time, or at SIGTERM.
"""

import argparse
import asyncio
import json
import re
import signal
import sys
from array import array
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final, cast
from urllib.parse import urlsplit

import uvloop

from load_tests.samples import percentiles

_CONNECTIONS: Final = 64
_WARM_UP_S: Final = 0.5
_LAST_WITHIN_S: Final = 5.0
_LENGTH: Final = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_WELL: Final = b"HTTP/1.1 200"
_END: Final = b"\r\n\r\n"


class _Asker:
    """Sends questions when they are due; waits for their answers."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self._requests = cycle(requests)
        self._waiting: deque[float] = deque()
        self.idle: list[_Connection] = []
        self.latencies = array("d")
        self.wrong = 0
        self.begin_s = 0.0
        self._open = 0
        self._is_done = asyncio.Event()

    def ask(self, due_s: float) -> None:
        """Send a question, or let it wait for a connection."""
        self._open += 1
        self._is_done.clear()
        if self.idle:
            self.idle.pop().send(next(self._requests), due_s)
        else:
            self._waiting.append(due_s)

    def answered(self, connection: "_Connection", due_s: float, *, is_well: bool) -> None:
        """Note an answer, and use its connection for the next question."""
        self._open -= 1
        if not self._open:
            self._is_done.set()
        if due_s >= self.begin_s:
            self.latencies.append(1000 * (perf_counter() - due_s))
        self.wrong += not is_well
        if self._waiting:
            connection.send(next(self._requests), self._waiting.popleft())
        else:
            self.idle.append(connection)

    async def last_answers(self) -> None:
        """Wait for the answers that are still to come, some seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WITHIN_S):
                await self._is_done.wait()


class _Connection(asyncio.Protocol):
    def __init__(self, asker: _Asker) -> None:
        self._asker = asker
        self._due_s: float | None = None
        self._read = b""
        self._length = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._asker.idle.append(self)

    def send(self, request: bytes, due_s: float) -> None:
        self._due_s, self._read, self._length = due_s, b"", 0
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not self._length:
            end = self._read.find(_END)
            found = _LENGTH.search(self._read, 0, end + len(_END)) if end >= 0 else None
            if found is None:
                return
            self._length = end + len(_END) + int(found[1])
        if len(self._read) >= self._length and self._due_s is not None:
            due_s, self._due_s = self._due_s, None
            self._asker.answered(self, due_s, is_well=self._read.startswith(_WELL))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._asker.wrong += self._due_s is not None
        if self in self._asker.idle:
            self._asker.idle.remove(self)


async def _run(url: str, paths: Sequence[str], per_s: float, seconds: float) -> dict[str, float]:
    at, loop, stop = urlsplit(url), asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    head = f" HTTP/1.1\r\nHost: {at.netloc}\r\n\r\n"
    asker = _Asker([f"GET {path}{head}".encode() for path in paths])
    for _ in range(_CONNECTIONS):
        await loop.create_connection(lambda: _Connection(asker), at.hostname or "", at.port or 80)
    random, asked = Random(1), 0  # noqa: S311 - load, no secret
    due_s = began = perf_counter()
    asker.begin_s = began + min(_WARM_UP_S, seconds / 4)
    while due_s < began + seconds and not stop.is_set():
        now = perf_counter()
        while due_s <= now:
            asker.ask(due_s)
            asked += due_s >= asker.begin_s
            due_s += random.expovariate(per_s)
        await asyncio.sleep(due_s - now)
    passed_s = perf_counter() - asker.begin_s
    await asker.last_answers()
    p50, _, p99 = percentiles(asker.latencies or [0.0])
    return {
        "requests": len(asker.latencies),
        "wrong": asker.wrong + asked - len(asker.latencies),
        "per_s": len(asker.latencies) / passed_s,
        "p50_ms": p50,
        "p99_ms": p99,
        "longest_ms": max(asker.latencies, default=0.0),
    }


def main() -> int:
    """Ask; print what was seen."""
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench.open_loop")
    parser.add_argument("url", help="the server's base URL")
    parser.add_argument("paths", type=Path, help="a file of questions, one a line")
    parser.add_argument("--per-s", type=float, required=True, help="mean rate")
    parser.add_argument("--seconds", type=float, required=True, help="longest time")
    given = parser.parse_args()
    paths = given.paths.read_text().split()
    found = uvloop.run(_run(given.url, paths, given.per_s, given.seconds))
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
