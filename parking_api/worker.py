"""Runs slow work in one thread beside the event loop.

There is only one thread, so that the loop competes with one other for the interpreter and gets its
turn within a millisecond (`parking_api.serving`). Work here is bounded by its own rules (sizes,
budgets of work), and so is the work that waits.
"""

import asyncio
import gc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Any, Final, ParamSpec, TypeVar

import orjson

from parking_api.errors import ApiError

MOST_WAITING: Final = 32
# Of so many rows an answer is made while the loop waits: 3 to 7 ms.
INLINE_ROWS: Final = 100

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class BusyError(ApiError, status=HTTPStatus.SERVICE_UNAVAILABLE):
    """Too much work is waiting at the moment."""


class _Worker:
    """The thread, and the number of calls that wait for it."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="worker")
        self.waiting = 0


_worker: Final = _Worker()


async def off_loop(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a function in the thread and return its result.

    Raises:
        BusyError: Too much is waiting already.
    """
    if _worker.waiting >= MOST_WAITING:
        raise BusyError
    _worker.waiting += 1
    try:
        return await asyncio.wrap_future(
            _worker.thread.submit(_done, partial(work, *args, **kwargs))
        )
    finally:
        _worker.waiting -= 1


async def made(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a function in the thread and return its result, which stays for long and may be large.

    Raises:
        BusyError: Too much is waiting already.
    """

    def kept() -> R:
        result = work(*args, **kwargs)
        # Full collections, each a stop of all, need not look at it.
        gc.freeze()
        return result

    return await off_loop(kept)


async def each(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Return the result of a function for each item; off the loop where there are many.

    Raises:
        BusyError: Too much is waiting already.
    """
    if len(items) <= INLINE_ROWS:
        return [work(item) for item in items]
    return await off_loop(lambda: [work(item) for item in items])


async def written(work: Callable[[T], Any], items: Sequence[T]) -> orjson.Fragment:
    """Return the results for all items as one JSON array; off the loop where there are many.

    Raises:
        BusyError: Too much is waiting already.
    """

    def pieces() -> bytes:
        # Writing holds the interpreter: a few at a time, so that the loop gets its turn between.
        starts = range(0, len(items), INLINE_ROWS)
        lists = ([work(item) for item in items[at : at + INLINE_ROWS]] for at in starts)
        return b"[" + b",".join(orjson.dumps(each)[1:-1] for each in lists) + b"]"

    return orjson.Fragment(pieces() if len(items) <= INLINE_ROWS else await off_loop(pieces))


def _done(work: Callable[[], R]) -> R:
    # What is made here is freed by its counts; a collection of all of it would stop the loop too.
    gc.disable()
    try:
        return work()
    finally:
        gc.enable()
