"""`python -m parking_api serve`: opens the port and runs the workers that answer HTTP."""

import argparse
import gc
import secrets
import socket
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Final

import structlog
from pydantic import SecretStr, ValidationError

from parking_api.settings import ApiSettings
from parking_api.workers import Start, Workers
from sql import logs
from sql.engine import DatabaseUnknownError, database_url

# Connections that wait to be accepted.
BACKLOG: Final = 2048


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options on its parser."""
    parser.description = (
        "Answer HTTP until SIGTERM or SIGINT; at SIGHUP, with workers that are started anew. "
        "Settings: environment API_*."
    )
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
    try:
        listening = _listening(settings.host, settings.port)
    except OSError as error:
        print(f"{settings.host}:{settings.port}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 3
    structlog.get_logger(__name__).info("listening", address=listening.getsockname())
    return Workers(settings.workers, _work(settings, database, listening)).run()


def _work(
    settings: ApiSettings, database: str, listening: socket.socket
) -> Callable[[Start], None]:
    secret = settings.token_secret or SecretStr(secrets.token_urlsafe(32))
    shared = settings.model_copy(update={"token_secret": secret})

    def work(start: Start) -> None:
        # Importing makes no garbage, and looking for it would take a fifth of the time.
        gc.disable()
        # The broker accepts one client of this name.
        given = shared if start.place == 0 else shared.model_copy(update={"mqtt_url": None})
        import_module("parking_api.serving").serve(given, database, listening, start)

    return work


def _listening(host: str, port: int) -> socket.socket:
    """Listen before the application is imported: early requests wait for a second."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)
