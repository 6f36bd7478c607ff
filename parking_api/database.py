"""The pool of database connections for requests; an absent database is one kind of error."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import asyncpg
import structlog

from parking_api.errors import DatabaseAwayError, QueryTooLongError
from sql.engine import Db, Pool, Transaction, transaction
from sql.faults import ABSENCES, FAULTS

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy


# While the database hangs, so often one request tries it; the others are answered without it.
_TRY_EVERY_S: Final = 1.0

log = structlog.get_logger(__name__)


@dataclass
class Database:
    """The pool of connections for requests.

    A database that refuses connections is noticed at once. One that accepts them and does not
    answer would make each request wait until its time-out and use up the pool. The pool therefore
    remembers that the database hangs, until it answers a request again. One request that waited in
    vain is not enough: while others were answered, the machine is busy, and no more.

    Attributes:
        pool: Lends the connections.
        acquire_timeout_s: Longest wait for one.
        is_away: Whether it gave no sign of life lately (`parking_api.listening`).
    """

    pool: Pool
    acquire_timeout_s: float
    is_away: bool = False
    _next_try_at: float | None = None
    _answered_at: float = float("-inf")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Db]:
        """Yield a connection.

        Raises:
            DatabaseAwayError: None could be had in time, or it broke while it was lent.
            QueryTooLongError: A statement took longer than it may.
        """
        hangs = self._await_turn()
        asked_at = time.monotonic()
        try:
            lent = await self.pool.acquire(timeout=self.acquire_timeout_s)
        except FAULTS as error:
            # While the pool could still grow, it is not for other requests that this one waited.
            if self.pool.get_size() < self.pool.get_max_size():
                self._note_silence(error, asked_at)
            raise _away(error) from error
        # What the pool lends stands in for a connection in all that it does.
        connection = cast(Db, lent)
        try:
            if hangs:
                await self._await_sign(connection)
            yield connection
        except (TimeoutError, asyncpg.QueryCanceledError) as error:
            # Of one statement: it says nothing about others.
            log.warning("query takes too long")
            raise QueryTooLongError from error
        except ABSENCES as error:
            raise _away(error) from error
        finally:
            await self._give_back(lent)

    @asynccontextmanager
    async def job(self) -> AsyncIterator[Db]:
        """Yield a connection whose statements may take as long as the pool waits for any.

        For what keeps memory up to date, and for acts of people, which may wait for each other.

        Raises:
            DatabaseAwayError: As `connection` does.
            QueryTooLongError: A statement took longer than even a job's may.
        """
        async with self.connection() as connection:
            # The pool resets it when the connection is given back.
            await connection.execute("SET statement_timeout = 0")
            yield connection

    async def _give_back(self, lent: "PoolConnectionProxy[asyncpg.Record]") -> None:
        """Return a connection to the pool, which drops it where that fails.

        The failure goes no further: what was asked of the connection has its answer or its error by
        then, and one that is on its way must not be replaced, least of all a cancellation.
        """
        given_back_at = time.monotonic()
        try:
            # It clears the connection, which takes an answer of the database.
            await self.pool.release(lent)
        except FAULTS as error:
            self._note_silence(error, given_back_at)
            log.warning("connection dropped", error=type(error).__name__)
        else:
            self._answered_at = time.monotonic()
            self._next_try_at = None

    def _await_turn(self) -> bool:
        """Let one request at a time try a database that hangs; refuse the others.

        Returns:
            Whether it hangs, and this request is the one that tries it.

        Raises:
            DatabaseAwayError: It hangs, and it is not time to try again.
        """
        if self._next_try_at is None:
            return False
        now = time.monotonic()
        if now < self._next_try_at:
            raise DatabaseAwayError
        self._next_try_at = now + _TRY_EVERY_S
        return True

    async def _await_sign(self, db: Db) -> None:
        """Have a database that hung answer something: a statement itself may take much longer.

        Raises:
            DatabaseAwayError: It did not answer in time, or has ended.
        """
        try:
            await db.execute("SELECT", timeout=self.acquire_timeout_s)
        except FAULTS as error:
            raise _away(error) from error

    def _note_silence(self, error: BaseException, asked_at: float) -> None:
        if isinstance(error, TimeoutError) and self._answered_at < asked_at:
            self._next_try_at = time.monotonic() + _TRY_EVERY_S

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Yield a connection in a transaction: committed when the block ends, else rolled back.

        Answer after the block, not within: a commit may fail.

        Raises:
            DatabaseAwayError: As `connection` does, also when the commit found it away.
        """
        async with self.job() as connection, transaction(connection) as within:
            yield within


def _away(error: BaseException) -> DatabaseAwayError:
    log.warning("database away", error=type(error).__name__)
    return DatabaseAwayError()
