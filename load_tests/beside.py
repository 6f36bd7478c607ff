"""Asks for `/healthz` beside something else, from a process of its own: how slow does it get?"""

import multiprocessing
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Final

PAUSE_S: Final = 0.02
PATIENCE_S: Final = 60.0
PROCESSES: Final = multiprocessing.get_context("spawn")


def _ask_on(url: str, line: Connection) -> None:
    """Ask until the line says to stop; then send the time of the slowest answer, in ms."""
    slowest = 0.0
    line.send(None)
    while not line.poll(PAUSE_S):
        began = time.perf_counter()
        with urllib.request.urlopen(f"{url}/healthz", timeout=PATIENCE_S) as answer:  # noqa: S310
            answer.read()
        slowest = max(slowest, time.perf_counter() - began)
    line.send(slowest * 1000)


@contextmanager
def asking_for_health(url: str) -> Iterator[Callable[[], float]]:
    """Ask every 20 ms, over new connections, until the context ends.

    Args:
        url: Where the API is.

    Yields:
        A function that stops it, and returns the time of the slowest answer, in ms; infinite where
        one did not come.
    """
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=_ask_on, args=(url, theirs))
    process.start()
    ours.recv()

    def stopped() -> float:
        ours.send(None)
        return float(ours.recv()) if ours.poll(PATIENCE_S) else float("inf")

    try:
        yield stopped
    finally:
        ours.close()
        process.join()
