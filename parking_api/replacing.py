"""Replaces one worker by another without a failed request.

The new worker accepts connections once it has read the city. The old one accepts no more, marks the
next answer on each connection as the last, and ends when all connections are closed.
"""

import asyncio
import os
import socket
from typing import Final

import uvicorn
from fastapi import FastAPI
from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parking_api.connections import BoundedProtocol, BoundedServer, Connections
from parking_api.worker import off_loop
from parking_api.workers import Start

# Longest wait for the city to be read.
LOADED_WITHIN_S: Final = 30.0
# A connection may be closed when it has been idle for so long.
IDLE_S: Final = 1.0
# Longest wait for requests that are being answered.
RETIRE_S: Final = 6.0


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
        for connection in self._open():
            connection.mark_last()
        self._app.state.city.leave_broker()

    def _is_done(self, age_s: float) -> bool:
        is_idle = all(connection.is_idle for connection in self._open())
        return (is_idle and age_s > IDLE_S) or age_s > RETIRE_S

    def _open(self) -> list[BoundedProtocol]:
        return [each for each in self.server_state.connections if isinstance(each, BoundedProtocol)]
