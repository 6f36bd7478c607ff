"""Middleware that answers requests whose body was not read, and then ends their connection."""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parking_api.connections import LINGER_BYTES, LINGER_S


class UnreadBodies:
    """ASGI middleware: a peer that is answered before its body was read still gets the answer.

    The connection ends with that answer, after the peer has had time to read it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        is_read = False

        async def reading() -> Message:
            nonlocal is_read
            message = await receive()
            is_read = is_read or not message.get("more_body", False)
            return message

        async def sending(message: Message) -> None:
            if is_read or message.get("more_body"):
                await send(message)
            elif message["type"] == "http.response.start":
                headers = [*message["headers"], (b"connection", b"close")]
                await send({**message, "headers": headers})
            else:
                await send({**message, "more_body": True})
                await discard()
                await send({"type": message["type"], "body": b"", "more_body": False})

        async def discard() -> None:
            size = 0
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    while not is_read and size < LINGER_BYTES:
                        size += len((await reading()).get("body", b""))

        await self._app(scope, reading, sending)


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )
