"""How a simulator gets the signal to stop, waits for it, and ends its tasks."""

import asyncio
import contextlib
import signal
from collections.abc import Iterable
from typing import Final

STOP_S: Final = 1.7


def stop_at_signals() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def unless(stop: asyncio.Event, wait_s: float) -> None:
    """Wait for `wait_s` seconds, or until `stop` is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            await stop.wait()


async def finish(tasks: Iterable["asyncio.Task[object]"]) -> None:
    """Wait up to STOP_S seconds until the tasks, which shall stop, have ended; then cancel them."""
    if left := set(tasks):
        _, left = await asyncio.wait(left, timeout=STOP_S)
    await end_tasks(left)


async def end_tasks(tasks: Iterable["asyncio.Task[object]"]) -> None:
    """Cancel tasks until all have ended; errors that they raise are ignored.

    Once is not enough: Python 3.11's `wait_for`, which aiomqtt uses, loses a cancellation that
    comes in the same turn of the loop as its result.
    """
    ending = list(tasks)
    left = {task for task in ending if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.1)
    await asyncio.gather(*ending, return_exceptions=True)
