"""Where the database is, and connections to it."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import IntEnum
from pathlib import Path
from typing import Final, Literal, NewType, TypeAlias

import asyncpg

# asyncpg's stubs know the type of a connection's rows; the classes themselves take none.
Db: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
# A connection in a transaction: what takes one changes nothing for good before its caller commits.
Transaction = NewType("Transaction", "asyncpg.Connection[asyncpg.Record]")


class AdvisoryLock(IntEnum):
    """Numbers of PostgreSQL's advisory locks, all in one place: no two mean the same."""

    # Held by the one ingester that may write.
    INGESTER = 370_200
    # Held while lots are imported or credentials issued.
    REGISTRATION = 370_201
    # Held by a transaction that publishes or ends zones, tariffs or price controls, until it ends.
    TARIFFS = 370_203
    # Held while the broker's users are written.
    BROKER_USERS = 370_204
    # Held by a transaction that adds a past day of occupancy, until it ends.
    HISTORY = 370_205


RUN_FILE = Path("var/run.json")


class SentenceError(Exception):
    """An error whose message is the sentence that its class begins with."""

    def __str__(self) -> str:
        """Return the class's own sentence."""
        return str(self.__doc__)


class DatabaseUnknownError(SentenceError):
    """No database is named: set DATABASE_URL, or start the demo, which writes var/run.json."""


def database_url(
    given: str | None = None,
    environ: Mapping[str, str] = os.environ,
    run_file: Path = RUN_FILE,
) -> str:
    """Find the database that a command is for.

    Args:
        given: What the command line says, if anything.
        environ: Where `DATABASE_URL` is looked up next.
        run_file: The running demo's `run.json`, looked at last.

    Returns:
        A URL `postgresql://user:password@host:port/name`.

    Raises:
        DatabaseUnknownError: None of the three names one.
    """
    if url := given or environ.get("DATABASE_URL"):
        return url
    if run_file.exists():
        return str(json.loads(run_file.read_text())["database_url"])
    raise DatabaseUnknownError


# Longest that opening a connection may take, seconds.
CONNECT_TIMEOUT_S: Final = 5.0


# The setting by which policies in the database know whose gateways are asked for; `*` for all.
OPERATOR: Final = "onelot.operator"
EVERYBODY: Final = "*"


def _settings(application: str, operator: str = EVERYBODY) -> dict[str, str]:
    own = {"application_name": application, OPERATOR: operator}
    return own | {"timezone": "UTC", "jit": "off"}


async def connect(
    url: str,
    application: str,
    *,
    timeout_s: float = CONNECT_TIMEOUT_S,
    command_timeout_s: float | None = None,
) -> Db:
    """Open a connection, for the caller to close; it speaks UTC.

    Args:
        url: As `database_url` returns it.
        application: The name that PostgreSQL shows for it.
        timeout_s: Longest that opening it may take.
        command_timeout_s: Longest that one statement may take; None for as long as it needs.

    Raises:
        OSError: The database cannot be reached.
        asyncpg.PostgresError: It lets nobody in, or not us.
    """
    return await asyncpg.connect(
        url,
        timeout=timeout_s,
        command_timeout=command_timeout_s,
        server_settings=_settings(application),
    )


@asynccontextmanager
async def connected(url: str, application: str) -> AsyncIterator[Db]:
    """Open a connection as `connect` does, and close it when the block ends."""
    db = await connect(url, application)
    try:
        yield db
    finally:
        await db.close()


def create_pool(
    url: str,
    *,
    application: str,
    min_size: int = 1,
    max_size: int = 8,
    command_timeout_s: float = 10.0,
    statement_timeout_s: float = 0.0,
    operator: str = EVERYBODY,
) -> Pool:
    """Make a pool; enter it with `async with`, which opens its first connections.

    Args:
        url: As `database_url` returns it.
        application: The name that PostgreSQL shows for its connections.
        min_size: Connections that it opens at once; 0 for a program that starts without database.
        max_size: Most connections.
        command_timeout_s: Longest that one statement may take before the client gives up.
        statement_timeout_s: Longest before the server does; 0 for no limit.
        operator: Whose gateways and refused messages are seen where policies look at it; "" for
            nobody's.

    Returns:
        A pool whose connections speak UTC. `acquire` has no time-out of its own: pass one.
    """
    return asyncpg.create_pool(
        url,
        min_size=min_size,
        max_size=max_size,
        command_timeout=command_timeout_s,
        timeout=CONNECT_TIMEOUT_S,
        server_settings=_settings(application, operator)
        | {"statement_timeout": str(round(1000 * statement_timeout_s))},
    )


@asynccontextmanager
async def transaction(
    db: Db,
    *,
    isolation: Literal["read_committed", "repeatable_read"] | None = None,
    readonly: bool = False,
) -> AsyncIterator[Transaction]:
    """Begin a transaction: it commits when the block ends, and is undone when the block raises.

    Args:
        db: A connection; one in a transaction gets a savepoint.
        isolation: None for the database's default, which is `read_committed`.
        readonly: Whether it may only read.
    """
    async with db.transaction(isolation=isolation, readonly=readonly):
        yield Transaction(db)


@asynccontextmanager
async def undone(db: Transaction) -> AsyncIterator[Transaction]:
    """Try something out: what the block does is undone when it ends, however it ends."""
    tried = db.transaction()
    await tried.start()
    try:
        yield db
    finally:
        await tried.rollback()


async def lock(db: Transaction, which: AdvisoryLock) -> None:
    """Wait until no other transaction holds a lock, and hold it until this one ends.

    A statement of its own: the next one sees what was committed before.
    """
    await db.execute("SELECT pg_advisory_xact_lock($1)", which)
