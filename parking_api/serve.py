"""`python -m parking_api serve`: the API, one process; the server is `connections`'."""

import argparse
import gc
import signal
import socket
import sys
from importlib import import_module
from typing import Final

import structlog
from pydantic import ValidationError

from parking_api.settings import ApiSettings
from sql import logs
from sql.engine import DatabaseUnknownError, database_url

# Connections that wait to be taken.
BACKLOG: Final = 2048


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options on its parser."""
    parser.description = "Answer HTTP until SIGTERM or SIGINT. Settings: environment API_*."
    parser.add_argument("--host", help="default: API_HOST, then 127.0.0.1")
    parser.add_argument("--port", type=int, help="default: API_PORT, then 8000")
    parser.add_argument("--database-url", help="default: DATABASE_URL, then var/run.json")


def run_command(arguments: argparse.Namespace) -> int:
    """Serve; exit status 2 when the settings are wrong, 3 when it could not start."""
    given = {"host": arguments.host, "port": arguments.port}
    try:
        settings = ApiSettings(**{name: value for name, value in given.items() if value})
        database = database_url(arguments.database_url)
    except (ValidationError, DatabaseUnknownError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own answer
        return 2
    logs.configure()
    # uvicorn raises the signal again once it has stopped as it should: that is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        listening = _listening(settings.host, settings.port)
    except OSError as error:
        print(f"{settings.host}:{settings.port}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 3
    structlog.get_logger(__name__).info("listening", address=listening.getsockname())
    # Nothing of what an import makes is garbage: looking for some takes a fifth of its time.
    gc.disable()
    import_module("parking_api.serving").serve(settings, database, listening)
    return 0


def _listening(host: str, port: int) -> socket.socket:
    """Listen before the application is imported: who asks meanwhile waits for a second."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)
