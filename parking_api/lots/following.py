"""Keeps the copy of the city in memory up to date, from the database and the broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import aiomqtt
import msgspec
import structlog
from fastapi import Depends, Request

from ingest_mqtt.wire import STATES, StateMessage
from parking_api import background
from parking_api.database import Database
from parking_api.lots import queries
from parking_api.lots.memory import City
from parking_api.settings import MqttUrl

log = structlog.get_logger(__name__)
_DECODER = msgspec.json.Decoder(StateMessage)


class FollowedCity(City):
    """The copy of the city, with its reading and its connection to the broker.

    Attributes:
        reading: How it is read from the database.
        hears_broker: Whether the broker is connected; None where none is followed.
        hearing: The task that follows the broker; None where none is followed.
    """

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self.reading = background.Reading("city", self._read)
        self.hears_broker: bool | None = None
        self.hearing: asyncio.Task[None] | None = None

    def leave_broker(self) -> None:
        """Leave the broker, which accepts one client of this name, to the next worker."""
        if self.hearing:
            self.hearing.cancel()

    async def _read(self) -> None:
        async with self._database.connection() as db:
            self.load(await queries.all_lots(db))


async def _city(request: Request) -> FollowedCity:
    city: FollowedCity = request.app.state.city
    return city


CityCopy = Annotated[FollowedCity, Depends(_city)]


@asynccontextmanager
async def followed_city(
    database: Database, reload_interval_s: float, mqtt_url: MqttUrl | None
) -> AsyncIterator[FollowedCity]:
    """Load the city as soon as the database is there; keep it up to date until the context ends.

    Args:
        database: Read at once, then at intervals: lots come and go by import.
        reload_interval_s: Seconds between two readings.
        mqtt_url: The broker, for what is committed in between; or None.
    """
    city = FollowedCity(database)
    tasks = [asyncio.create_task(city.reading.repeat(reload_interval_s))]
    if mqtt_url:
        city.hears_broker = False
        city.hearing = asyncio.create_task(_follow(city, mqtt_url))
        tasks.append(city.hearing)
    try:
        await city.reading.first_try()
        yield city
    finally:
        await background.stop(tasks)


async def _follow(city: FollowedCity, url: MqttUrl) -> None:
    while True:
        client = aiomqtt.Client(
            url.host or "127.0.0.1",
            url.port or 1883,
            username=url.username,
            password=url.password,
            identifier=url.username,
            timeout=background.PATIENCE_S,
        )
        try:
            async with client:
                await client.subscribe(STATES, qos=1)
                city.hears_broker = True
                async for message in client.messages:
                    _take(city, message.payload)
        except aiomqtt.MqttError as error:
            log.warning("broker away", error=str(error))
        finally:
            city.hears_broker = False
        await asyncio.sleep(background.AGAIN_S)


def _take(city: City, payload: object) -> None:
    """Apply one message; an empty one (a retained message removed) or a bad one changes nothing."""
    if not isinstance(payload, bytes) or not payload:
        return
    try:
        city.apply(_DECODER.decode(payload))
    except (msgspec.DecodeError, ValueError):
        log.warning("state message not understood")
