"""Tasks that run as long as the application does, and how they end with it."""

import asyncio
from collections.abc import Iterable
from typing import Final

STOP_AGAIN_S: Final = 0.5


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
