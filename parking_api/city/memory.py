"""The copy of the city in memory: the present table, its states, and how a newer table is taken."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from ingest_mqtt.wire import StateMessage
from parking_api import worker
from parking_api.city.bays import Bays, no_bays
from parking_api.city.queries import CityLot, District
from parking_api.city.states import State, state_of_message, state_of_row
from parking_api.city.table import Lot, Table
from parking_api.errors import LotRetiredError, LotUnknownError

Item = TypeVar("Item")

# So many lots are looked at while the loop waits: a millisecond at most.
_CHUNK: Final = 250
# Longer than a reader of changes goes without looking at the present table.
_IN_USE_S: Final = 5.0
# States of lots that are not registered here yet; more are not kept.
_MOST_UNPLACED: Final = 100_000


class City:
    """Every lot with its newest known state.

    Attributes:
        table: The lots and bays.
        districts: By their code.
        as_of: The newest commit that is known here; None before any.
        retired: The lots that are no more, by id.
        registration: Rises whenever lots, bays or districts have been replaced.
    """

    def __init__(self) -> None:
        self.table = Table([], no_bays(0))
        self.districts: Sequence[District] = []
        self.as_of: datetime | None = None
        self.retired: frozenset[str] = frozenset()
        self.registration = 0
        self._next: Table | None = None
        self._unplaced: dict[str, State] = {}

    def lot(self, lot_id: str) -> Lot:
        """Return a lot.

        Raises:
            LotRetiredError: It is retired.
            LotUnknownError: There is none of that id.
        """
        found = self.table.by_id.get(lot_id)
        if found is None:
            raise LotRetiredError if lot_id in self.retired else LotUnknownError
        return found

    async def load(
        self, rows: Sequence[CityLot], bays: Bays, districts: Sequence[District]
    ) -> None:
        """Replace all lots and bays; where a newer state of a lot has been heard, it stays.

        Args:
            rows: By `lot_id`.
            bays: Theirs.
            districts: By their code.
        """
        table, newest = await worker.made(_built, rows, bays)
        # From here on, what is heard is written into both.
        self._next = table
        async for lots in _chunks(table.lots):
            for lot in lots:
                lot_id = lot.facts.lot_id
                present = self.table.by_id.get(lot_id)
                heard = present.state if present else self._unplaced.get(lot_id)
                if heard and (lot.state is None or heard.version > lot.state.version):
                    table.take(lot, heard)
        before, self.table, self._next, self.districts = self.table, table, None, districts
        self.registration += 1
        self._unplaced = {}
        self._note(newest)
        _free(before)

    async def renew(self, rows: Sequence[CityLot]) -> None:
        """Take the states of lots that are registered as they are here."""
        async for part in _chunks(rows):
            for row in part:
                state = state_of_row(row)
                if state:
                    self.take(row.lot_id, state)

    async def is_registered_so(self, rows: Sequence[CityLot]) -> bool:
        """Return whether rows are the lots of the table, registered as they are here."""
        if len(rows) != len(self.table.lots):
            return False
        lots = iter(self.table.lots)
        async for part in _chunks(rows):
            if not all(lot.is_registered_so(row) for row, lot in zip(part, lots, strict=False)):
                return False
        return True

    def apply(self, message: StateMessage) -> bool:
        """Set a lot's committed state, unless a newer one is known.

        Returns:
            Whether it is new here.

        Raises:
            ValueError: The message cannot be read; nothing has changed.
        """
        lot = self.table.by_id.get(message.lot)
        if lot and lot.state and int(message.version) <= lot.state.version:
            return False
        state = state_of_message(message)
        if lot is None and len(self._unplaced) < _MOST_UNPLACED:
            known = self._unplaced.setdefault(message.lot, state)
            if state.version > known.version:
                self._unplaced[message.lot] = state
        return self.take(message.lot, state)

    def take(self, lot_id: str, state: State) -> bool:
        """Set a lot's state, unless a newer one is known; return whether it is new here."""
        is_new = False
        for table in (self.table, self._next):
            if table and (lot := table.by_id.get(lot_id)):
                is_new = table.take(lot, state) or is_new
        if is_new:
            self._note(state.committed_at)
        return is_new

    def _note(self, newest: datetime | None) -> None:
        if newest and (self.as_of is None or newest > self.as_of):
            self.as_of = newest


def _built(rows: Sequence[CityLot], bays: Bays) -> tuple[Table, datetime | None]:
    """Make a table; return it with the newest commit in it."""
    table = Table(rows, bays)
    return table, max(table.commits(), default=None)


def _free(table: Table) -> None:
    """Have a table freed bit by bit, since all of it at once would hold the loop up.

    Some may use it for a while: nothing is taken out of it, and its parts outlive it.
    """
    bays = table.bays
    parts = [bays.lons, bays.lats, bays.numbers, bays.levels, bays.classes]
    asyncio.get_running_loop().call_later(_IN_USE_S, let_go, [*table.lots], parts)


def let_go(items: list[Any], parts: list[Any] | None = None) -> None:
    """Let items go bit by bit, and then large parts one by one, in later turns of the loop."""
    if items:
        del items[-_CHUNK:]
    elif parts:
        parts.pop()
    if items or parts:
        asyncio.get_running_loop().call_soon(let_go, items, parts)


async def _chunks(items: Sequence[Item]) -> AsyncIterator[Sequence[Item]]:
    """Yield items part by part; others have their turn in between."""
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
        await asyncio.sleep(0)
