"""Runs the application in a worker's server; importing this file takes a second.

One worker replaces another without a failed request. The new worker accepts connections once it has
read the city. The old one accepts no more, marks the next answer on each connection as the last,
and ends when all connections are closed.
"""

import asyncio
import functools
import gc
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Final, cast

import uvicorn
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parking_api.app import create_app
from parking_api.clients import Bounded
from parking_api.connections import SECURITY, BoundedProtocol, BoundedServer, Connections
from parking_api.settings import ApiSettings
from parking_api.worker import off_loop
from parking_api.workers import Shared, Start

# Longest wait for the city to be read.
LOADED_WITHIN_S: Final = 30.0
# A connection may be closed when it has been idle for so long.
IDLE_S: Final = 1.0
# Longest wait for requests that are being answered.
RETIRE_S: Final = 6.0
# Longest wait for running requests when the server stops.
SHUTDOWN_S: Final = 1
# How soon the loop gets its turn beside `worker`'s thread; Python's own 5 ms add up, since an
# answer takes the loop some turns.
SWITCH_S: Final = 0.001


class LoadFirst:
    """ASGI middleware: the application counts as started once the city is loaded."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass requests on; delay the start until the city is loaded."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete" and not await self._is_loaded():
                message = {"type": "lifespan.startup.failed", "message": "there is no city"}
            await send(message)

        await self._app(scope, receive, sending)

    async def _is_loaded(self) -> bool:
        try:
            async with asyncio.timeout(LOADED_WITHIN_S):
                await self._state.resources.until_loaded()
        except TimeoutError:
            return False
        return True


class WorkerServer(BoundedServer):
    """The server of a worker: it reports when it is ready, and can be replaced."""

    def __init__(
        self, config: uvicorn.Config, shared: Connections, start: Start, app: FastAPI
    ) -> None:
        super().__init__(config)
        self._shared = shared
        self._start = start
        self._app = app
        self._is_replaced = False
        self._since: float | None = None

    def retire(self) -> None:
        """Accept no more connections, and end when the open ones are closed."""
        self._is_replaced = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and report that the worker is ready."""
        await super().startup(sockets)
        self._start.ready()
        # It takes 0.2 s: the first request for it must not delay the others.
        self._describing = asyncio.create_task(off_loop(self._app.openapi))

    async def on_tick(self, counter: int) -> bool:
        """Decide whether to stop; called ten times a second."""
        if os.getppid() != self._start.parent:
            self.should_exit = True
        now = asyncio.get_running_loop().time()
        if self._is_replaced and self._since is None:
            self._since = now
            self._take_no_more()
        is_over = await super().on_tick(counter)
        return is_over or (self._since is not None and self._is_done(now - self._since))

    def _take_no_more(self) -> None:
        for server in self.servers:
            server.close()
        self._shared.is_last = True
        for connection in self.bounded():
            connection.mark_last()
        self._app.state.city.leave_broker()
        self._app.state.changes.close()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, which would run for ever; then stop as usual."""
        self._app.state.changes.close()
        await super().shutdown(sockets)

    def _is_done(self, age_s: float) -> bool:
        is_idle = all(connection.is_idle for connection in self.bounded())
        return (is_idle and age_s > IDLE_S) or age_s > RETIRE_S


def serve(
    settings: ApiSettings,
    database: str,
    listening: Sequence[socket.socket],
    start: Start,
    shared: Shared,
) -> None:
    """Answer what comes in at some sockets, until SIGTERM or SIGINT; or until replaced, SIGHUP.

    Args:
        settings: This worker's.
        database: `postgresql://...`.
        listening: The sockets, which the workers share.
        start: What the parent says.
        shared: What the workers count in together.
    """
    server = _server(settings, database, start, shared)
    signal.signal(signal.SIGHUP, lambda *_: server.retire())
    as_worker()
    server.run(list(listening))


def as_worker() -> None:
    """Have this process run the application, which has been made, without long stops."""
    sys.setswitchinterval(SWITCH_S)
    # What has been imported stays: full collections, each a stop of all, need not look at it.
    gc.freeze()
    gc.enable()


def application(settings: ApiSettings, database: str, shared: Shared | None = None) -> FastAPI:
    """Make the application as a worker runs it."""
    app = create_app(settings, database, shared=shared)
    # FastAPI puts routes together when they are first asked for, all of a router at once: the first
    # to ask would have everybody wait.
    for _ in iter_route_contexts(app.routes):
        pass
    return app


def _server(settings: ApiSettings, database: str, start: Start, shared: Shared) -> WorkerServer:
    app = application(settings, database, shared)
    connections = Connections(
        settings.max_connections,
        settings.head_timeout_s,
        settings.body_timeout_s,
        app.state.metrics.note_refused,
        app.state.hot_routes.answer,
        app.state.clients,
        Bounded(settings.client_connections),
        settings.metrics_port,
    )
    return WorkerServer(
        uvicorn.Config(
            LoadFirst(app, app.state) if start.replaces else app,
            loop="uvloop",
            # A class it calls: mypy knows of names and classes only.
            http=cast("type[BoundedProtocol]", functools.partial(BoundedProtocol, connections)),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            headers=[(name.decode(), value.decode()) for name, value in SECURITY],
            # `clients` reads them.
            proxy_headers=False,
            timeout_keep_alive=settings.idle_timeout_s,
            timeout_graceful_shutdown=SHUTDOWN_S,
        ),
        connections,
        start,
        app,
    )
