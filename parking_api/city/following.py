"""Keeps the copy of the city up to date, from the database and the broker.

| what changes | how it is noticed |
|---|---|
| a lot's state | its retained `state` message, in any order: the version decides |
| lots and bays, by an import | the database notifies on the channel `city` |
| whatever was missed | all lots are read again at intervals, and where a sample differs |
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import msgspec
import structlog
from fastapi import Depends, Request

from ingest_mqtt.wire import StateMessage
from parking_api import background
from parking_api.city import queries
from parking_api.city.bays import read_bays
from parking_api.city.hearing import BrokerAwayError, Hearing
from parking_api.city.memory import City, let_go
from parking_api.city.queries import CityLot
from parking_api.city.states import state_of_row
from parking_api.database import Database
from parking_api.errors import DatabaseAwayError
from parking_api.settings import MqttUrl
from sql.engine import Transaction, transaction

# A sample is compared so often, and so large.
_COMPARE_EVERY_S: Final = 5.0
_SAMPLE: Final = 50
# What was committed so lately may still be on its way from the broker.
_ON_ITS_WAY: Final = timedelta(seconds=3)
# Few enough that reading them holds the loop up for a millisecond or two.
_LOTS_A_PAGE: Final = 250

log = structlog.get_logger(__name__)
_DECODER: Final = msgspec.json.Decoder(StateMessage)


class FollowedCity(City):
    """The copy of the city, with its reading and its connection to the broker.

    Attributes:
        reading: How it is read from the database.
        changed: Set when lots or bays have changed.
        hears_broker: Whether the broker is connected; None where none is followed.
        hearing: The task that follows the broker; None where none is followed.
        differences: Lots that were found to differ from the database.
    """

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self.reading = background.Reading("city", self.read)
        self._one_reader = asyncio.Lock()
        self.changed = asyncio.Event()
        self._bays_changed = True
        self.hears_broker: bool | None = None
        self.hearing: asyncio.Task[None] | None = None
        self.differences = 0

    def leave_broker(self) -> None:
        """Leave the broker, which accepts one client of this name, to the next worker."""
        if self.hearing:
            self.hearing.cancel()

    def note_change(self, table: str) -> None:
        """Have what has changed read again: a table, or anything where it is empty."""
        self._bays_changed = self._bays_changed or table in {"", "space"}
        self.changed.set()

    async def read(self) -> None:
        """Read all lots, and all bays where they may have changed.

        Raises:
            DatabaseAwayError: The database is away; the copy stays as it is.
        """
        async with self._one_reader:
            self.changed.clear()
            bays_changed, self._bays_changed = self._bays_changed, False
            try:
                await self._read(bays_changed=bays_changed)
            except BaseException:
                self._bays_changed = self._bays_changed or bays_changed
                raise

    async def _read(self, *, bays_changed: bool) -> None:
        async with (
            self._database.job() as db,
            transaction(db, isolation="repeatable_read", readonly=True) as snapshot,
        ):
            rows = await _all_lots(snapshot)
            districts = await queries.districts(snapshot)
            retired = frozenset(await queries.retired_lots(snapshot))
            is_same = not bays_changed and await self.is_registered_so(rows)
            if is_same and districts == self.districts:
                self.retired = retired
                await self.renew(rows)
                let_go(rows)
                return
            bays = self.table.bays
            # Of other hours, or a closure, the same lots have the same bays.
            if bays_changed or not self._have_bays_so(rows):
                bays = await read_bays(snapshot, queries.statement.text("all_bays"), len(rows))
        await self.load(rows, bays, districts)
        self.retired = retired
        let_go(rows)

    def _have_bays_so(self, rows: Sequence[CityLot]) -> bool:
        """Return whether the lots of the table that have bays are those of the rows."""
        lots = self.table.lots
        return len(lots) == len(rows) and all(
            (lot.facts.lot_id, lot.facts.reporting) == (row.lot_id, row.reporting)
            for lot, row in zip(lots, rows, strict=True)
        )

    async def compare(self, lot_ids: Sequence[str]) -> None:
        """Compare some lots with the database; mend what differs.

        Raises:
            DatabaseAwayError: The database is away.
        """
        async with self._database.job() as db:
            rows = await queries.all_lots(db, lot_ids=lot_ids, most=len(lot_ids))
        different = [row.lot_id for row in rows if not self._agrees(row)]
        different += set(lot_ids).difference(row.lot_id for row in rows) & self.table.by_id.keys()
        if different:
            # Without the broker it is no wonder.
            if self.hears_broker:
                self.differences += len(different)
                log.warning("the copy of the city differs", lots=different)
            await self.read()

    def _agrees(self, row: CityLot) -> bool:
        lot, state = self.table.by_id.get(row.lot_id), state_of_row(row)
        if lot is None or not lot.is_registered_so(row):
            return False
        if state is None or (lot.state and lot.state.version > state.version):
            # Heard of since the row was read.
            return True
        if lot.state and lot.state.version == state.version:
            return lot.state == state
        return datetime.now(UTC) - state.committed_at < _ON_ITS_WAY


async def _all_lots(db: Transaction) -> list[CityLot]:
    rows: list[CityLot] = []
    while True:
        page = await queries.all_lots(db, after=rows[-1].lot_id if rows else "", most=_LOTS_A_PAGE)
        rows += page
        if len(page) < _LOTS_A_PAGE:
            return rows


async def _city(request: Request) -> FollowedCity:
    city: FollowedCity = request.app.state.city
    return city


CityCopy = Annotated[FollowedCity, Depends(_city)]


@asynccontextmanager
async def followed_city(
    city: FollowedCity,
    reload_interval_s: float,
    mqtt_url: MqttUrl | None,
    authorities: Path | None = None,
) -> AsyncIterator[FollowedCity]:
    """Load the city as soon as the database is there; keep it up to date until the context ends.

    Args:
        city: Read at once, at each change, and at intervals.
        reload_interval_s: Longest that the copy is not read again, seconds.
        mqtt_url: The broker, for what is committed in between; or None.
        authorities: Who may have signed its certificate; None for the system's.
    """
    tasks = [
        asyncio.create_task(city.reading.repeat(reload_interval_s, city.changed)),
        asyncio.create_task(_compare(city)),
    ]
    if mqtt_url:
        city.hears_broker = False
        city.hearing = asyncio.create_task(_follow(city, mqtt_url, authorities))
        tasks.append(city.hearing)
    try:
        yield city
    finally:
        await background.stop(tasks)


async def _compare(city: FollowedCity) -> None:
    while True:
        await asyncio.sleep(_COMPARE_EVERY_S)
        lots = city.table.lots
        sample = random.sample(lots, min(_SAMPLE, len(lots)))
        try:
            await city.compare([lot.facts.lot_id for lot in sample])
        except DatabaseAwayError:
            pass
        except Exception:
            # Whatever it is, the next sample is compared.
            log.exception("a sample of the city could not be compared")


async def _follow(city: FollowedCity, url: MqttUrl, authorities: Path | None) -> None:
    def subscribed() -> None:
        city.hears_broker = True

    while True:
        try:
            await Hearing(url, partial(_take, city), authorities).run(subscribed)
        except BrokerAwayError as error:
            log.warning("broker away", error=str(error))
        except Exception:
            log.exception("the connection to the broker broke")
        finally:
            city.hears_broker = False
        await asyncio.sleep(background.AGAIN_S)


def _take(city: City, payload: bytes) -> None:
    """Apply one message; an empty one (a retained message removed) or a bad one changes nothing."""
    if not payload:
        return
    try:
        city.apply(_DECODER.decode(payload))
    except (msgspec.DecodeError, ValueError):
        log.warning("state message not understood")
