"""Connections for requests, with every absence of the database told as one error."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
import structlog

from parking_api.errors import DatabaseAwayError

if TYPE_CHECKING:
    from asyncpg.pool import Pool, PoolConnectionProxy

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"

# Not every PostgreSQL error: one in our own SQL is a fault of ours, not an absence.
ABSENCES = (
    OSError,  # refused, reset, and time-outs
    asyncpg.InterfaceError,
    # What asyncpg raises when a connection breaks between two of its own steps.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Database:
    """The pool that requests draw on."""

    pool: "Pool[asyncpg.Record]"
    acquire_timeout_s: float

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection.

        Raises:
            DatabaseAwayError: None could be had in time, or it broke while it was lent.
        """
        try:
            connection = await self.pool.acquire(timeout=self.acquire_timeout_s)
        except (*ABSENCES, asyncpg.PostgresError) as error:
            raise _away(error) from error
        try:
            yield connection
        except ABSENCES as error:
            raise _away(error) from error
        finally:
            await self._give_back(connection)

    async def _give_back(self, connection: Connection) -> None:
        """Return a connection to the pool, which drops it where that fails.

        The failure goes no further: what was asked of the connection has its answer or its error by
        then, and one that is on its way must not be replaced, least of all a cancellation.
        """
        try:
            await self.pool.release(connection)
        except (*ABSENCES, asyncpg.PostgresError) as error:
            log.warning("connection dropped", error=type(error).__name__)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection in a transaction: committed when the block ends, else rolled back.

        Answer after the block, not within: a commit may fail.

        Raises:
            DatabaseAwayError: As `connection` does, also when the commit found it away.
        """
        async with self.connection() as connection, connection.transaction():
            yield connection


def _away(error: BaseException) -> DatabaseAwayError:
    log.warning("database away", error=type(error).__name__)
    return DatabaseAwayError()
