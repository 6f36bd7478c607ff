"""Background tasks of the application: repeated readings, and how tasks are stopped."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Final

import structlog

from parking_api.errors import DatabaseAwayError

STOP_AGAIN_S: Final = 0.5
# Seconds between two attempts while the database is away: its return is noticed within 2 s.
AGAIN_S: Final = 0.5
# Longest wait for an answer of a server that may be away.
PATIENCE_S: Final = 5.0
# A start waits at most so long for a first reading, and goes on without it.
FIRST_TRY_S: Final = 3.0

log = structlog.get_logger(__name__)


class Reading:
    """Reads something from the database at intervals."""

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
        """Wait until it has been read, or the first attempt has failed or takes long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_TRY_S):
                await self._tried.wait()

    async def repeat(self, interval_s: float, changed: asyncio.Event | None = None) -> None:
        """Read it now, at intervals, and at each change; more often while readings fail."""
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
            # Logged once for each absence.
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

    Once may not be enough: where the clean-up of a cancelled task fails, such as closing a
    connection that takes too long, the cancellation is lost, and a task that continues after errors
    continues after this one too.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=STOP_AGAIN_S)
