"""Starts what is measured: peers, each one process of uvicorn, and Redis."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from load_tests.bench.asking import BenchError, program

_LOOPBACK: Final = "127.0.0.1"
_UP_WITHIN_S: Final = 60.0
_DOWN_WITHIN_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.02


@dataclass(frozen=True)
class Contender:
    """A server that is measured.

    Attributes:
        name: In reports.
        url: Its base URL.
        pid: Its process.
    """

    name: str
    url: str
    pid: int


@contextmanager
def api(
    name: str,
    environment: Mapping[str, str],
    directory: Path,
    workers: int = 1,
    ready: str = "/readyz",
) -> Iterator[Contender]:
    """Run the API, from when it is ready, until the block ends.

    Args:
        name: In reports.
        environment: Its settings, but for port and workers.
        directory: Gets its log.
        workers: How many processes.
        ready: What it answers with 200 once the block may begin.
    """
    port = free_port()
    settings = {**environment, "API_PORT": str(port), "API_WORKERS": str(workers)}
    command = [sys.executable, "-m", "parking_api", "serve"]
    with child(command, settings, port, directory / f"api-{workers}.log") as pid:
        made = Contender(name, f"http://{_LOOPBACK}:{port}", pid)
        deadline = time.monotonic() + _UP_WITHIN_S
        while True:
            try:
                body(made, ready)
            except BenchError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_LOOK_EVERY_S)
            else:
                break
        yield made


def free_port() -> int:
    """Return a port on loopback that is free at the moment."""
    with socket.socket() as one:
        one.bind((_LOOPBACK, 0))
        return int(one.getsockname()[1])


@contextmanager
def peer(
    name: str, module: str, environment: Mapping[str, str], directory: Path
) -> Iterator[Contender]:
    """Run a peer until the block ends.

    Args:
        name: In reports.
        module: Of `load_tests.peers`.
        environment: Variables that it reads.
        directory: Gets its log.
    """
    port = free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", f"load_tests.peers.{module}:app"),
        *("--host", _LOOPBACK, "--port", str(port), "--loop", "uvloop", "--http", "httptools"),
        *("--workers", "1", "--lifespan", "on", "--no-access-log", "--no-server-header"),
        *("--log-level", "warning"),
    ]
    with child(command, environment, port, directory / f"{module}.log") as pid:
        yield Contender(name, f"http://{_LOOPBACK}:{port}", pid)


@contextmanager
def redis_server(directory: Path) -> Iterator[tuple[str, int]]:
    """Run Redis, which keeps nothing on disk, until the block ends; yield its URL and process."""
    port = free_port()
    command = [
        *(program("redis-server"), "--port", str(port), "--bind", _LOOPBACK, "--save", ""),
        *("--appendonly", "no", "--dir", str(directory)),
    ]
    with child(command, {}, port, directory / "redis.log") as pid:
        yield f"redis://{_LOOPBACK}:{port}", pid


@contextmanager
def child(
    command: Sequence[str], environment: Mapping[str, str], port: int, log: Path
) -> Iterator[int]:
    """Run a server, from when its port is open; yield its process id.

    Raises:
        BenchError: It does not start; the message has its log.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + _UP_WITHIN_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"{command[0]} does not start:\n{log.read_text()}")
            time.sleep(_LOOK_EVERY_S)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(_DOWN_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((_LOOPBACK, port), timeout=1.0):
        return True
    return False


def body(contender: Contender, path: str) -> bytes:
    """Ask once.

    Raises:
        BenchError: The answer is no 200.
    """
    at = urlsplit(contender.url)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=30.0)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"{contender.name} does not answer: {error}") from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise BenchError(f"{contender.name} answers {answer.status}: {text[:500]!r}")
    return text
