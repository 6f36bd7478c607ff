"""Tasks that run as long as the application does, and how they end with it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Final

import structlog

from parking_api.errors import DatabaseAwayError

STOP_AGAIN_S: Final = 0.5
# Between two tries to reach what is away: it is to be found within 2 s of its return.
AGAIN_S: Final = 0.5
# Longest wait for an answer of what may be away.
PATIENCE_S: Final = 5.0
# Longest that a start waits for a first reading; it goes on without.
FIRST_TRY_S: Final = 1.0

log = structlog.get_logger(__name__)


class Reading:
    """Something that is read from the database again and again."""

    def __init__(self, name: str, read: Callable[[], Awaitable[None]]) -> None:
        self._name = name
        self._read = read
        self._tried = asyncio.Event()
        self._done = asyncio.Event()

    @property
    def is_done(self) -> bool:
        """Whether it has been read once."""
        return self._done.is_set()

    async def done(self) -> None:
        """Wait until it has been read once."""
        await self._done.wait()

    async def first_try(self) -> None:
        """Wait until it has been read, or could not be at once."""
        with suppress(TimeoutError):
            # Not wait_for: Python 3.11's may swallow a cancellation.
            async with asyncio.timeout(FIRST_TRY_S):
                await self._tried.wait()

    async def repeat(self, interval_s: float, changed: asyncio.Event | None = None) -> None:
        """Read it now, at intervals, and when it has changed; soon again while it fails."""
        is_well = True
        while True:
            was_well, is_well = is_well, await self._once(is_well=is_well)
            if is_well and not was_well:
                log.info("read again", what=self._name)
            await _pause(interval_s if is_well else AGAIN_S, changed if is_well else None)

    async def _once(self, *, is_well: bool) -> bool:
        try:
            await self._read()
        except DatabaseAwayError:
            # Said once an absence.
            if is_well:
                log.warning("not read: the database is away", what=self._name)
            return False
        except Exception:
            log.exception("not read", what=self._name)
            return False
        else:
            self._done.set()
            return True
        finally:
            self._tried.set()


async def _pause(seconds: float, changed: asyncio.Event | None) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await (changed or asyncio.Event()).wait()


async def stop(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until all are done.

    Once may not be enough: when a cancelled task's clean-up fails in its turn, as the closing of a
    connection does that takes too long, the cancellation is gone, and a task that carries on after
    errors carries on after this one too.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=STOP_AGAIN_S)
