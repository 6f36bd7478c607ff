"""What readers of `/v1/stream` cost those who ask for the nearest lots."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Final
from urllib.parse import urlsplit

from load_tests.bench.asking import CONNECTIONS, BenchError
from load_tests.bench.city import City, api_settings
from load_tests.bench.results import Goal, Part, figure
from load_tests.bench.servers import Contender, api

# Questions a second, whatever answers take: each is measured from when it was due.
PER_S: Final = 200
MOST_SLOWER: Final = 1.5
# Readers have got their first state by then, or those of the round before have gone.
_SETTLED_AFTER_S: Final = 2.0


def readers_beside(city: City) -> Part:
    """Measure p99 of `/v1/nearest` with readers and without, in turns."""
    part = Part("stream")
    reports = city.reports / "stream"
    reports.mkdir()
    more = {"API_MAX_READERS": str(city.readers), "API_MAX_CONNECTIONS": str(3 * city.readers)}
    settings = api_settings(city.target, "platform-api-11") | more
    paths = city.paths("/v1/nearest").read_text().split()
    streams = [path.replace("/v1/nearest", "/v1/stream") for path in paths[: city.readers]]
    (reports / "readers.paths").write_text("\n".join(streams))
    p99_ms: dict[bool, list[float]] = {True: [], False: []}
    with api("OneLot, streaming", settings, reports) as server:
        asyncio.run(_ask(server, paths, 1.0))
        for number in range(city.rounds):
            for reads in (number % 2 == 0, number % 2 == 1):
                with _readers(server, reports / "readers.paths", city.readers if reads else 0):
                    asyncio.run(_ask(server, paths, _SETTLED_AFTER_S))
                    found = asyncio.run(_ask(server, paths, city.seconds))
                p99_ms[reads].append(quantiles(found, n=100)[98])
                run = {
                    "readers": reads * city.readers,
                    "round": number,
                    "p99_ms": p99_ms[reads][-1],
                }
                part.runs.append(run)
    ratios = [one / two for one, two in zip(p99_ms[True], p99_ms[False], strict=True)]
    what = f"`/v1/nearest` p99, {PER_S} requests/s"
    part.figures = [
        figure("stream_p99", f"{what}, {city.readers:,} readers", p99_ms[True], unit="ms"),
        figure("stream_p99_without", f"{what}, no readers", p99_ms[False], unit="ms"),
        figure(
            "stream_ratio",
            f"`/v1/nearest` p99, {city.readers:,} readers / none",
            ratios,
            goal=Goal(MOST_SLOWER, is_most=True),
        ),
    ]
    return part


@contextmanager
def _readers(server: Contender, paths: Path, number: int) -> Iterator[None]:
    """Have readers while the block runs.

    Raises:
        BenchError: One was not taken, or was cut off.
    """
    if not number:
        yield
        return
    command = [sys.executable, "-m", "load_tests.bench.readers"]
    with subprocess.Popen(
        [*command, str(urlsplit(server.url).port), str(paths)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin and process.stdout  # noqa: S101, PT018 - pipes
        try:
            process.stdout.readline()
            yield
            process.stdin.close()
            left, _ = process.stdout.read().split()
        finally:
            process.terminate()
    if int(left) != number:
        raise BenchError(f"{left} of {number} readers are left")


async def _ask(server: Contender, paths: Sequence[str], seconds: float) -> list[float]:
    """Ask at a steady rate; return the milliseconds of each answer from when it was due."""
    at = urlsplit(server.url)
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection(at.hostname, at.port))
    loop = asyncio.get_running_loop()
    found: list[float] = []

    async def ask(path: str, due: float) -> None:
        reader, writer = await free.get()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise BenchError(f"{server.name} answers {head.decode()}")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))
        found.append(1000 * (loop.time() - due))
        free.put_nowait((reader, writer))

    began = loop.time()
    async with asyncio.TaskGroup() as group:
        for number in range(int(PER_S * seconds)):
            due = began + number / PER_S
            await asyncio.sleep(due - loop.time())
            group.create_task(ask(paths[number % len(paths)], due))
    while not free.empty():
        free.get_nowait()[1].close()
    return found
