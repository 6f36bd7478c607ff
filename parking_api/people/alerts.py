"""The alert of recoveries: keys that the database's owner made past all enrolments."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from parking_api import background
from parking_api.database import Database
from parking_api.people import queries

log = structlog.get_logger(__name__)


class Recoveries:
    """Counts the recoveries in the audit; a further one is an error in the log."""

    def __init__(self, database: Database, note: Callable[[int], None]) -> None:
        self._database = database
        self._note = note
        self._known: int | None = None
        self.changed = asyncio.Event()
        self.reading = background.Reading("recoveries", self._read)

    async def _read(self) -> None:
        self.changed.clear()
        async with self._database.job() as db:
            number = await queries.recoveries(db)
        if self._known is not None and number > self._known:
            log.error("people were recovered past all enrolments", recoveries=number)
        self._known = number
        self._note(number)


@asynccontextmanager
async def watching(recoveries: Recoveries, interval_s: float) -> AsyncIterator[None]:
    """Read at once, at each notification, and at intervals, until the end."""
    task = asyncio.create_task(recoveries.reading.repeat(interval_s, recoveries.changed))
    try:
        yield
    finally:
        await background.stop([task])
