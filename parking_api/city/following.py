"""Keep the copy of the city fresh, in the background."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
import msgspec
import structlog

from parking_api import background
from parking_api.city import queries
from parking_api.city.memory import City, State
from parking_api.database import Database
from parking_api.errors import DatabaseAwayError
from parking_api.settings import MqttUrl

STATE_TOPICS = "onelot/v1/state/+"
RECONNECT_S = 2.0

log = structlog.get_logger(__name__)
_DECODER = msgspec.json.Decoder(State)


@asynccontextmanager
async def followed_city(
    database: Database, reload_interval_s: float, mqtt_url: MqttUrl | None
) -> AsyncIterator[City]:
    """Load the city, and keep it fresh until the context ends.

    Args:
        database: Read at once, then at intervals: lots come and go by import.
        reload_interval_s: Seconds between two readings.
        mqtt_url: The broker, for what is committed in between; or None.

    Raises:
        DatabaseAwayError: The first reading failed.
    """
    city = City()
    await _load(city, database)
    tasks = [asyncio.create_task(_reload(city, database, reload_interval_s))]
    if mqtt_url:
        tasks.append(asyncio.create_task(_follow(city, mqtt_url)))
    try:
        yield city
    finally:
        await background.stop(tasks)


async def _load(city: City, database: Database) -> None:
    async with database.connection() as connection:
        city.load(await queries.lots(connection))


async def _reload(city: City, database: Database, interval_s: float) -> None:
    while True:
        await asyncio.sleep(interval_s)
        try:
            await _load(city, database)
        except DatabaseAwayError:
            log.warning("city not read again", kept_as_of=city.as_of())
        except Exception:
            log.exception("city not read again")


async def _follow(city: City, url: MqttUrl) -> None:
    while True:
        client = aiomqtt.Client(
            url.host or "127.0.0.1",
            url.port or 1883,
            username=url.username,
            password=url.password,
            identifier=url.username,
        )
        try:
            async with client:
                await client.subscribe(STATE_TOPICS, qos=1)
                async for message in client.messages:
                    _take(city, message.payload)
        except aiomqtt.MqttError as error:
            log.warning("broker away", error=str(error))
        await asyncio.sleep(RECONNECT_S)


def _take(city: City, payload: object) -> None:
    """Apply one message; an empty one (a retained message removed) or a bad one changes nothing."""
    if not isinstance(payload, bytes) or not payload:
        return
    try:
        city.apply(_DECODER.decode(payload))
    except (msgspec.DecodeError, ValueError):
        log.warning("state message not understood")
