"""Keeps the index of names up to date: the database notifies at each change of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Final

from fastapi import Depends, Request

from parking_api import background, worker
from parking_api.coordinates import Crs
from parking_api.database import Database
from parking_api.places import queries
from parking_api.places.index import Index
from parking_api.places.queries import NamedThing
from parking_api.public_reads import KeptAnswer
from parking_api.resources import Deps
from sql.engine import Db, transaction

# An import writes in several statements: notifications within this time are one change.
_SETTLE_S: Final = 0.02
# Few enough that reading them holds the loop up for a millisecond or two.
_A_PAGE: Final = 1000


class FollowedNames:
    """The index of names, and its reading from the database.

    Attributes:
        index: The present one; None before the first reading.
        written: What maps show of it, by system of coordinates, once that has been asked for.
        changed: Set when names may have changed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.index: Index | None = None
        self.written: dict[Crs, KeptAnswer] = {}
        self.changed = asyncio.Event()
        self.reading = background.Reading("names", self._follow)

    def note_change(self, table: str) -> None:
        """Have names read again where a table with names has changed, or any may have."""
        if table != "space":
            self.changed.set()

    async def _follow(self) -> None:
        if self.changed.is_set():
            await asyncio.sleep(_SETTLE_S)
        self.changed.clear()
        await self.read()

    async def read(self) -> None:
        """Read all names.

        Raises:
            DatabaseAwayError: The database is away; the index stays as it is.
        """
        async with self._database.job() as db:
            index = await read_index(db, self.index)
        if index is not self.index:
            self.index, self.written = index, {}


async def read_index(db: Db, former: Index | None = None) -> Index:
    """Read all names into an index; return the former one where it has them."""
    things: list[NamedThing] = []
    before = former.things if former else []
    async with transaction(db, isolation="repeatable_read", readonly=True) as snapshot:
        page: Sequence[NamedThing] | None = None
        while page is None or len(page) == _A_PAGE:
            rank, last = (page[-1].rank, page[-1].id) if page else (0, "")
            page = await queries.named_things(
                snapshot, after_rank=rank, after_id=last, most=_A_PAGE
            )
            known = before[len(things) : len(things) + len(page)]
            things += known if known == page else page
    # Those that are known are the same objects: this is quick.
    if former is not None and things == before:
        return former
    return await worker.made(Index, things)


async def _names(request: Request, _: Deps) -> FollowedNames:
    names: FollowedNames = request.app.state.names
    return names


CurrentNames = Annotated[FollowedNames, Depends(_names)]


@asynccontextmanager
async def followed_names(names: FollowedNames, reload_interval_s: float) -> AsyncIterator[None]:
    """Read all names as soon as the database is there; keep them up to date until the end.

    Args:
        names: Read at once, at each change, and at intervals.
        reload_interval_s: Longest that names are not read again, seconds.
    """
    task = asyncio.create_task(names.reading.repeat(reload_interval_s, names.changed))
    try:
        yield
    finally:
        await background.stop([task])
