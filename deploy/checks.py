"""Asking whether something is well, and waiting until it is."""

import time
from collections.abc import Callable
from typing import Final

import httpx

from sql.engine import connected

_STEP_S: Final = 0.1
_TIMEOUT_S: Final = 2.0


class NotWellError(Exception):
    """Something did not become well in time; the message says what."""


def wait_until(check: Callable[[], bool], what: str, timeout_s: float) -> None:
    """Wait until `check` is true.

    Args:
        check: Whether it is well.
        what: Its name, for the message.
        timeout_s: Longest wait.

    Raises:
        NotWellError: The time is over.
    """
    deadline = time.monotonic() + timeout_s
    while not check():
        if time.monotonic() > deadline:
            raise NotWellError(f"{what} is not well after {timeout_s:.0f} s")
        time.sleep(_STEP_S)


def answers(url: str) -> bool:
    """Tell whether `url` answers 200."""
    try:
        return httpx.get(url, timeout=_TIMEOUT_S, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


async def lot_is_stored(database_url: str, lot_id: str) -> bool:
    """Tell whether the database has the lot: an import is one transaction, so then it has all."""
    async with connected(database_url, "deploy") as db:
        return bool(await db.fetchval("SELECT EXISTS (SELECT FROM lot WHERE lot_id = $1)", lot_id))
