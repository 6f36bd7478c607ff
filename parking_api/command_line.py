"""What the commands share: a connection of their own, and lines for people."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from rich.console import Console

from sql import engine
from sql.engine import Db, SentenceError
from sql.faults import FAULTS


class NotMigratedError(SentenceError):
    """It has no tables yet: run `python -m sql upgrade`."""


# The errors of a database, which a command reports in one line.
DATABASE_ERRORS: Final = (*FAULTS, NotMigratedError)


@asynccontextmanager
async def connected(url: str, application: str) -> AsyncIterator[Db]:
    """Open a connection for a command; its statements may take as long as they need.

    Args:
        url: The database.
        application: The name that PostgreSQL shows for the connection.

    Raises:
        OSError: The database cannot be reached.
        asyncpg.PostgresError: It lets nobody in, or not us.
        NotMigratedError: It has no tables.
    """
    async with engine.connected(url, application) as db:
        if await db.fetchval("SELECT to_regclass('lot')") is None:
            raise NotMigratedError
        yield db


def say(console: Console, *lines: str) -> None:
    """Write lines as they are: nothing marked up, no breaks at the console's width."""
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, emoji=False, highlight=False)


def reason(error: BaseException) -> str:
    """Return an error in one line."""
    return str(error).partition("\n")[0] or type(error).__name__
