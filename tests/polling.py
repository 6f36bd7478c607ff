"""Waiting for what others do in their own time: by looking again and again, up to a deadline."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

# Only a test that fails waits so long.
DEADLINE_S = 20.0

# Not pg_stat_activity: within a transaction that says the same again and again.
HELD_UP = """
SELECT count(*) FROM pg_locks
WHERE NOT granted AND pg_backend_pid() = any(pg_blocking_pids(pid))
"""


async def until(
    condition: Callable[[], object | Awaitable[object]],
    what: str = "what is waited for",
    timeout_s: float = DEADLINE_S,
) -> None:
    """Return once the condition holds; fail with `what` when it does not in time."""
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                found = condition()
                if await found if inspect.isawaitable(found) else found:
                    return
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"not within {timeout_s} s: {what}")


async def until_somebody_waits(connection: "asyncpg.Connection[Any]") -> None:
    """Return once another connection waits for a lock that this one holds."""
    await until(lambda: connection.fetchval(HELD_UP))
