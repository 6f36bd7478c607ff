"""`python -m parking_api serve`: opens the port and runs the workers that answer HTTP."""

import argparse
import gc
import os
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import structlog
from pydantic import ValidationError

from parking_api.settings import ApiSettings
from parking_api.workers import Shared, Start, Workers
from sql import logs

# Connections that wait to be accepted.
BACKLOG: Final = 2048
# A peer that has acknowledged nothing of what was sent for so long is gone.
GONE_AFTER_MS: Final = 30_000
# Bytes that the system takes of an answer ahead of sending them.
MAX_UNSENT_BYTES: Final = 65_536


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options on its parser."""
    parser.description = (
        "Answer HTTP until SIGTERM or SIGINT; at SIGHUP, with workers that are started anew. "
        "Settings: environment API_*."
    )
    parser.add_argument("--host", help="default: API_HOST, then 127.0.0.1")
    parser.add_argument("--port", type=int, help="default: API_PORT, then 8000")
    parser.add_argument(
        "--part",
        choices=["all", "public", "office"],
        help="which part of the API; default: API_PART, then all",
    )


def run_command(arguments: argparse.Namespace, url: str) -> int:
    """Serve; exit status 2 when the settings are wrong, 3 when it could not start."""
    given = {"host": arguments.host, "port": arguments.port, "part": arguments.part}
    try:
        settings = ApiSettings(**{name: value for name, value in given.items() if value})
    except ValidationError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own answer
        return 2
    logs.configure()
    addresses = [(settings.host, settings.port)]
    if settings.metrics_port is not None:
        addresses.append((settings.metrics_host, settings.metrics_port))
    listening = []
    for host, port in addresses:
        try:
            listening.append(_listening(host, port))
        except OSError as error:
            print(f"{host}:{port}: {error.strerror}", file=sys.stderr)  # noqa: T201 - as above
            return 3
        structlog.get_logger(__name__).info("listening", address=listening[-1].getsockname())
    with TemporaryDirectory(prefix="onelot-metrics-") as figures:
        work = _work(settings, url, listening, figures, Shared())
        return Workers(settings.workers, work, partial(_forget_gauges, Path(figures))).run()


def _forget_gauges(figures: Path, pid: int) -> None:
    """Remove the gauges of a worker that has ended; what it has counted stays."""
    for file in figures.glob(f"gauge_live*_{pid}.db"):
        file.unlink()


def _work(
    settings: ApiSettings,
    database: str,
    listening: Sequence[socket.socket],
    figures: str,
    shared: Shared,
) -> Callable[[Start], None]:
    def work(start: Start) -> None:
        # Read where the library is imported.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures
        # Importing makes no garbage, and looking for it would take a fifth of the time.
        gc.disable()
        given = settings.of_worker(start.place, start.lane)
        import_module("parking_api.serving").serve(given, database, listening, start, shared)

    return work


def _listening(host: str, port: int) -> socket.socket:
    """Listen before the application is imported: early requests wait for a second."""
    listening = socket.create_server(
        (host, port),
        family=socket.AF_INET6 if ":" in host else socket.AF_INET,
        backlog=BACKLOG,
    )
    # Connections have these from here. A stream alone would notice a peer that has lost its network
    # only after a quarter of an hour; and the system would take megabytes for one that does not
    # read, before the server notices.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_AFTER_MS)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MAX_UNSENT_BYTES)
    return listening
