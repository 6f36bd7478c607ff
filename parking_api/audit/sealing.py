"""Sealing: a process of its own holds the audit to its seals, and adds one at intervals.

What the chain cannot show by itself, its seals show: an end that was cut off, a chain that was
written anew with right hashes, a database that was restored from an older copy, an entry whose time
of recording is not the one at which it appeared.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from parking_api.audit.queries import Entry
from parking_api.audit.seals import SealFile, Seals, SealsError
from parking_api.audit.service import ChainBrokenError, Head, head_of, verify, walk
from parking_api.command_line import DATABASE_ERRORS, connected, reason
from sql.engine import Db, transaction

# An entry is recorded before it is committed, and two clocks never agree.
TOLERANCE: Final = timedelta(minutes=10)
# The whole chain is held to all seals again after so many; in between, what is new to the last.
_WHOLE_AFTER: Final = 60
# A database that does not answer so many times on end is an error.
_AWAY_AFTER: Final = 3
# So many entries with a wrong time are told of.
_MOST_TOLD: Final = 5

log = structlog.get_logger(__name__)


class Comparison:
    """Holds the entries of a chain, from the first on, to seals.

    Attributes:
        doubts: Sentences about entries that were recorded at another time than they say.
        last: The last entry that was held to them.
    """

    def __init__(self, seals: Seals) -> None:
        self.doubts: list[str] = []
        self.last: Entry | None = None
        self._seals = seals.by_entries
        self._numbers = sorted(seals.by_entries)

    def hold(self, entry: Entry) -> None:
        """Hold the next entry to the seals.

        Raises:
            ChainBrokenError: It is another than the one that was sealed.
        """
        self.last = entry
        sealed = self._seals.get(entry.entry_id)
        if sealed is not None and sealed.hash != entry.hash:
            raise ChainBrokenError(
                f"entry {entry.entry_id} is another than the one that was sealed "
                f"{_at(sealed.first_at)}: the chain was written anew"
            )
        place = bisect_left(self._numbers, entry.entry_id)
        before, after = self._numbers[:place][-1:], self._numbers[place : place + 1]
        not_before = self._seals[before[0]].last_at if before else None
        not_after = self._seals[after[0]].first_at if after else None
        self._hold_time(entry, not_before, not_after)

    def _hold_time(
        self, entry: Entry, not_before: datetime | None, not_after: datetime | None
    ) -> None:
        doubt = time_doubt(entry, not_before, not_after)
        if doubt is not None and len(self.doubts) < _MOST_TOLD:
            self.doubts.append(doubt)

    def finish(self, head: Head) -> None:
        """Hold the chain's end to the last seal.

        Raises:
            ChainBrokenError: There are fewer entries than were sealed.
        """
        most = self._numbers[-1] if self._numbers else 0
        if head.entries < most:
            raise ChainBrokenError(
                f"{most:,} entries were sealed {_at(self._seals[most].first_at)}, and there are "
                f"{head.entries:,}: the end was cut off, or an older copy was restored"
            )


def _at(instant: datetime) -> str:
    return f"at {instant.isoformat(timespec='seconds')}"


def time_doubt(entry: Entry, not_before: datetime | None, not_after: datetime | None) -> str | None:
    """Say what is wrong with an entry's time of recording; None if nothing is.

    Args:
        entry: Of format 1 it has none.
        not_before: When the entry was not there yet.
        not_after: When it was there.
    """
    recorded_at = entry.recorded_at
    if recorded_at is None:
        return None
    said = f"entry {entry.entry_id} says that it was recorded {_at(recorded_at)}, but"
    if not_before is not None and recorded_at < not_before - TOLERANCE:
        return f"{said} it was not there yet {_at(not_before)}"
    if not_after is not None and recorded_at > not_after + TOLERANCE:
        return f"{said} it was there already {_at(not_after)}"
    return None


class Sealer:
    """Seals a chain into a file; it remembers the last entry that it has seen.

    Args:
        file: Nobody else adds to it.
        now: The clock.
    """

    def __init__(self, file: SealFile, now: Callable[[], datetime]) -> None:
        self._file = file
        self._now = now
        self._last: Entry | None = None
        self._since_whole = _WHOLE_AFTER

    async def seal(self, db: Db) -> None:
        """Hold the chain to the seals, at first and at times from its beginning, and add one.

        Raises:
            ChainBrokenError: It is broken, or another than was sealed; nothing was added.
            SealsError: The file was changed, or cannot be written.
        """
        at = self._now()
        # Where rows are hidden from this role, the database says so in place of leaving them out.
        await db.execute("SET row_security = off")
        async with transaction(db, isolation="repeatable_read", readonly=True) as within:
            is_whole = self._since_whole >= _WHOLE_AFTER
            last = await (self._whole(within) if is_whole else self._go_on(within, at))
        seal = self._file.append(at, head_of(last))
        self._last, self._since_whole = last, 1 if is_whole else self._since_whole + 1
        log.info(
            "the audit is sealed",
            entries=seal.head.entries,
            head=seal.head.hash.hex(),
            at=seal.at,
            hmac=seal.mac.hex(),
        )

    async def _whole(self, db: Db) -> Entry | None:
        """Hold the whole chain to all seals."""
        comparison = Comparison(self._file.seals)
        comparison.finish(await verify(db, hold=comparison.hold))
        for doubt in comparison.doubts:
            log.error("an entry has a wrong time", reason=doubt)
        return comparison.last

    async def _go_on(self, db: Db, at: datetime) -> Entry | None:
        """Hold what is new to the last entry that was seen, which must still be there."""
        last, before = self._last, self._file.seals.last
        async for entry in walk(db, last):
            if doubt := time_doubt(entry, before.at if before else None, at):
                log.error("an entry has a wrong time", reason=doubt)
            last = entry
        return last


async def seal_forever(
    url: str, file: SealFile, every_s: float, now: Callable[[], datetime]
) -> None:
    """Seal at intervals until cancelled, whether the database is there or not.

    What does not agree is logged as an error at each interval, and never sealed over.

    Args:
        url: The database, as a role that may read the audit.
        file: Nobody else adds to it.
        every_s: The interval, seconds.
        now: The clock.
    """
    sealer = Sealer(file, now)
    failed = 0
    while True:
        try:
            async with asyncio.timeout(_within_s(every_s)), connected(url, "onelot-seal") as db:
                await sealer.seal(db)
            failed = 0
        except (ChainBrokenError, SealsError) as error:
            log.error("the audit is not sealed: it does not agree", reason=str(error))  # noqa: TRY400
        except DATABASE_ERRORS as error:
            failed += 1
            tell = log.warning if failed < _AWAY_AFTER else log.error
            tell("the audit is not sealed: the database does not answer", error=reason(error))
        except Exception:
            log.exception("the audit is not sealed: a fault")
        await asyncio.sleep(every_s)


def _within_s(every_s: float) -> float:
    """Return how long one sealing may take: the first goes through the whole chain."""
    return max(10 * every_s, 600.0)
