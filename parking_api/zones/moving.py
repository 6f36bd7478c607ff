"""The job that moves lots: as zones begin and end, each lot gets the zone that contains it then."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from parking_api import background
from parking_api.database import Database
from parking_api.parameters import EARLIEST
from parking_api.zones import queries
from sql.engine import AdvisoryLock, lock


class LotMoves:
    """Moves lots, and knows until when that is done.

    Attributes:
        changed: Set when zones may have changed.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self.changed = asyncio.Event()
        self._done_until = EARLIEST

    async def move(self) -> None:
        """Move the lots of zones that have begun or ended since the last time.

        Raises:
            DatabaseAwayError: The database is away.
        """
        self.changed.clear()
        now = self._clock()
        async with self._database.transaction() as db:
            if await queries.is_turning(db, self._done_until, now):
                await lock(db, AdvisoryLock.TARIFFS)
                await queries.move_lots(db, now)
        self._done_until = now


@asynccontextmanager
async def moving_lots(moves: LotMoves, interval_s: float) -> AsyncIterator[None]:
    """Move lots until the context ends: at once, at intervals, and when zones have changed.

    Args:
        moves: Does it.
        interval_s: Longest time from the beginning or end of a zone to the move, seconds.
    """
    job = background.Reading("zones", moves.move)
    task = asyncio.create_task(job.repeat(interval_s, moves.changed))
    try:
        # One after the other at the start, as all that is read then: the pool stays small.
        await job.first_try()
        yield
    finally:
        await background.stop([task])
