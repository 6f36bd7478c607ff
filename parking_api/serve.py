"""`python -m parking_api serve`: the API behind uvicorn, one process."""

import argparse
import functools
import logging
import signal
import sys
from typing import cast

import structlog
import uvicorn
from pydantic import ValidationError

from parking_api.app import create_app
from parking_api.connections import BoundedProtocol, BoundedServer, Connections
from parking_api.settings import ApiSettings
from sql.engine import DatabaseUnknownError, database_url

# Longest wait for answers under way when it is told to stop.
SHUTDOWN_S = 2


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
    _configure_logging()
    server = _server(settings, database)
    # uvicorn raises the signal again once it has stopped as it should: that is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    server.run()
    return 0 if server.started else 3


def _server(settings: ApiSettings, database: str) -> uvicorn.Server:
    app = create_app(settings, database)
    shared = Connections(
        settings.max_connections,
        settings.head_timeout_s,
        settings.body_timeout_s,
        app.state.metrics.note_refused,
    )
    return BoundedServer(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            # A class it calls: mypy knows of names and classes only.
            http=cast("type[BoundedProtocol]", functools.partial(BoundedProtocol, shared)),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=settings.idle_timeout_s,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
    )


def _configure_logging() -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        cache_logger_on_first_use=True,
    )
    # uvicorn's own lines: start, stop, and what it could not parse.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
