"""Packs what feeds have written of past days: an array a lot and day instead of a row a step.

It has a connection of its own and works beside the writer, who never waits for it: some lots of a
day at a time, each time a transaction of its own, with rests in between. A lot's day is packed as
a whole or not at all; whoever is cut off goes on with what is left. Steps that come later for a
packed day are single rows until the next round, which adds them.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

import asyncpg
import structlog

from ingest_mqtt import queries
from sql.engine import AdvisoryLock, Db, connected, lock, transaction
from sql.partitions import OCCUPANCY, OCCUPANCY_FED, existing, make_missing

# How often it looks for days to pack, in seconds, and how soon after the start.
EVERY_S: Final = 600.0
FIRST_S: Final = 60.0
# Lots of a day that are packed in one transaction: some 0.2 s of work.
LOTS: Final = 50
# It rests so many times as long as it has worked.
_REST: Final = 3.0

log = structlog.get_logger(__name__)


class Packer:
    """Packs days, as a task of the ingester.

    Args:
        database_url: `postgresql://...`, the ingester's.
        after: The age from which days are packed, in whole days; two at least.
        clock: The platform's clock, aware.
    """

    def __init__(self, database_url: str, after: timedelta, clock: Callable[[], datetime]) -> None:
        self._url, self._after, self._clock = database_url, after, clock

    async def run(self) -> None:
        """Look for days to pack until cancelled; while the database is away, later."""
        await asyncio.sleep(FIRST_S)
        while True:
            try:
                async with connected(self._url, "ingest_mqtt packing") as db:
                    await self.pack(db)
            except Exception as error:  # noqa: BLE001 - whatever it is, feeds go on
                log.warning("packing was cut off", error=type(error).__name__, detail=str(error))
            await asyncio.sleep(EVERY_S)

    async def pack(self, db: Db) -> int:
        """Pack all days that are old enough; return how many steps that were."""
        now = self._clock()
        before = datetime.combine(now.date(), datetime.min.time(), now.tzinfo) - self._after
        packed = 0
        while loose := await queries.loose_steps(db, before):
            day_at = loose[0].day_at
            await _make_room(db, day_at.date())
            lots = [one.lot_id for one in loose if one.day_at == day_at]
            steps = 0
            for first in range(0, len(lots), LOTS):
                began = time.monotonic()
                steps += await self._pack_some(db, day_at, lots[first : first + LOTS])
                await asyncio.sleep(_REST * (time.monotonic() - began))
            log.info("day packed", day=day_at.date().isoformat(), lots=len(lots), steps=steps)
            packed += steps
            if not steps:
                break  # another packer was here first
        await _give_back(db, before)
        return packed

    async def _pack_some(self, db: Db, day_at: datetime, lot_ids: list[str]) -> int:
        async with transaction(db) as within:
            # An import of the same day, or another packer, goes first.
            await lock(within, AdvisoryLock.HISTORY)
            return await queries.pack_steps(within, day_at, lot_ids)


async def _make_room(db: Db, day: date) -> None:
    """Make the partition of a day, where its single steps have one: both are dropped together."""
    start = OCCUPANCY.start(datetime.combine(day, datetime.min.time(), tzinfo=UTC))
    if OCCUPANCY.name(start) in await existing(db, OCCUPANCY):
        await make_missing(db, OCCUPANCY_FED, [start])


async def _give_back(db: Db, before: datetime) -> None:
    """Give back the space of months all of whose days are packed."""
    this = OCCUPANCY.name(OCCUPANCY.start(before))
    for name in sorted(await existing(db, OCCUPANCY)):
        if name >= this:
            break
        try:
            if await db.fetchval("SELECT empty_partition($1)", name):
                log.info("space of a month given back", partition=name)
        except asyncpg.LockNotAvailableError:
            log.info("a month is being read; its space is given back later", partition=name)
