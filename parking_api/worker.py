"""Work that the event loop does not wait for: one thread beside it.

One, so that the loop contends with one other for the interpreter, whatever is asked for: it gets
its turn within `SWITCH_S`. What is done here is bounded by its own rules (sizes, budgets of work),
and so is what waits for it.
"""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final, ParamSpec, TypeVar

from parking_api.errors import ApiError

MOST_WAITING: Final = 16
# Python's own 5 ms add up: an answer takes the loop some turns.
SWITCH_S: Final = 0.001

P = ParamSpec("P")
R = TypeVar("R")


class BusyError(ApiError):
    """Too much work is waiting at the moment."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class Worker:
    """The thread, with what waits for it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="worker")
        self._waiting = 0
        sys.setswitchinterval(SWITCH_S)

    async def do(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do some work, and give what it gives.

        Raises:
            BusyError: Too much is waiting already.
        """
        if self._waiting >= MOST_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            return await asyncio.wrap_future(self._thread.submit(work, *args, **kwargs))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Begin nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
