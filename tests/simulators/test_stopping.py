"""Ending tasks, also those that lose a cancellation."""

import asyncio

from simulators.stopping import end_tasks, unless


async def test_a_lost_cancellation_is_repeated() -> None:
    lost = 0

    async def stubborn() -> None:
        nonlocal lost
        while lost < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1

    async def failing() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError

    tasks = [asyncio.create_task(stubborn()), asyncio.create_task(failing())]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end_tasks(tasks)
    assert all(task.done() for task in tasks)
    assert lost == 3


async def test_a_wait_ends_with_its_time_or_the_stop() -> None:
    stop = asyncio.Event()
    await unless(stop, 0.01)
    assert not stop.is_set()
    stop.set()
    async with asyncio.timeout(5):
        await unless(stop, 3_600)
