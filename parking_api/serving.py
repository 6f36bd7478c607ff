"""Runs the application in a worker's server; importing this file takes a second."""

import functools
import gc
import signal
import socket
import sys
from typing import Final, cast

import uvicorn
from fastapi.routing import iter_route_contexts

from parking_api.app import create_app
from parking_api.connections import BoundedProtocol, Connections
from parking_api.replacing import LoadFirst, WorkerServer
from parking_api.settings import ApiSettings
from parking_api.workers import Start

# Longest wait for running requests when the server stops.
SHUTDOWN_S: Final = 1
# How soon the loop gets its turn beside `worker`'s thread; Python's own 5 ms add up, since an
# answer takes the loop some turns.
SWITCH_S: Final = 0.001


def serve(settings: ApiSettings, database: str, listening: socket.socket, start: Start) -> None:
    """Answer what comes in at a socket, until SIGTERM or SIGINT; or until replaced, SIGHUP."""
    sys.setswitchinterval(SWITCH_S)
    server = _server(settings, database, start)
    signal.signal(signal.SIGHUP, lambda *_: server.retire())
    # What has been imported stays: full collections, each a stop of all, need not look at it.
    gc.freeze()
    gc.enable()
    server.run([listening])


def _server(settings: ApiSettings, database: str, start: Start) -> WorkerServer:
    app = create_app(settings, database)
    # FastAPI puts routes together when they are first asked for, all of a router at once: the first
    # to ask would have everybody wait.
    for _ in iter_route_contexts(app.routes):
        pass
    shared = Connections(
        settings.max_connections,
        settings.head_timeout_s,
        settings.body_timeout_s,
        app.state.metrics.note_refused,
    )
    return WorkerServer(
        uvicorn.Config(
            LoadFirst(app, app.state) if start.replaces else app,
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
        ),
        shared,
        start,
        app,
    )
