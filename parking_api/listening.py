"""Listens to what the database tells, and notices when the database is away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from parking_api import background
from parking_api.database import Database
from sql.engine import connect
from sql.faults import FAULTS

# How often the database is asked for a sign of life, and how long one may take.
_SIGN_EVERY_S: Final = 1.0
_SIGN_WITHIN_S: Final = 2.0

log = structlog.get_logger(__name__)

# What to call with a notification's text, by its channel.
Channels = Mapping[str, Sequence[Callable[[str], None]]]


@asynccontextmanager
async def listening(
    url: str, database: Database, channels: Channels, each_second: Callable[[], None]
) -> AsyncIterator[None]:
    """Pass on what the database tells of changes, until the context ends.

    What is read inside the context misses no change: the database is listened to by then, unless it
    is away or takes long. At each new connection every channel gets an empty text: anything may
    have changed while nobody listened.

    Args:
        url: For a connection of its own.
        database: Gets to know whether the database is away.
        channels: What to call for each channel.
        each_second: Called once a second, for figures.
    """
    tried = asyncio.Event()
    tasks = [
        asyncio.create_task(_listen(url, database, channels, tried)),
        asyncio.create_task(_repeat(each_second)),
    ]
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(background.FIRST_TRY_S):
                await tried.wait()
        yield
    finally:
        await background.stop(tasks)


async def _repeat(action: Callable[[], None]) -> None:
    while True:
        action()
        await asyncio.sleep(1)


async def _listen(url: str, database: Database, channels: Channels, tried: asyncio.Event) -> None:
    while True:
        try:
            await _listen_once(url, database, channels, tried)
        except FAULTS:
            pass
        except Exception:
            log.exception("changes are not listened for")
        if not database.is_away:
            log.warning("the database is away: changes are not listened for")
        database.is_away = True
        tried.set()
        await asyncio.sleep(background.AGAIN_S)


async def _listen_once(
    url: str, database: Database, channels: Channels, tried: asyncio.Event
) -> None:
    connection = await connect(
        url,
        "onelot-api-listener",
        timeout_s=background.PATIENCE_S,
        # Of each statement, LISTEN as well.
        command_timeout_s=_SIGN_WITHIN_S,
    )
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    try:
        for channel in channels:
            await connection.add_listener(channel, lambda _, __, *notice: _tell(channels, *notice))
            _tell(channels, channel, "")
        database.is_away = False
        tried.set()
        while not lost.is_set():
            await connection.execute("SELECT")
            with suppress(TimeoutError):
                async with asyncio.timeout(_SIGN_EVERY_S):
                    await lost.wait()
    finally:
        connection.terminate()


def _tell(channels: Channels, channel: str, text: str) -> None:
    for tell in channels[channel]:
        tell(text)
