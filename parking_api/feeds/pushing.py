"""Hands what gateways post on to the ingester, through the broker, and waits for the acks.

One writer stays one writer: the API decides nothing about a message, and knows of each only which
request waits for it. The broker lets this process publish on `push/` alone, and hear its own acks.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final

import aiomqtt
import structlog
from fastapi import Depends, Request
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest_mqtt.wire import FeedTopic, Reply, push_acks_topic
from parking_api import background
from parking_api.errors import DatabaseAwayError
from parking_api.feeds.errors import BrokerAwayError, NoAckError
from parking_api.feeds.places import Places
from parking_api.resources import resources_of
from parking_api.settings import MqttUrl, mqtt_port, tls

# Longest wait for an ack. The broker forgets by then what the ingester has not taken.
ACK_WITHIN_S: Final = 10
# aiomqtt warns of more calls than this: as many posts wait as gateways send.
_MANY: Final = 100_000

log = structlog.get_logger(__name__)


class Pushes:
    """The messages that wait for their acks in this process.

    Args:
        pusher: The number of this process; its user at the broker has it too.
        places: Bounds how many wait.
    """

    def __init__(self, pusher: int, places: Places) -> None:
        self._pusher, self._places = pusher, places
        self._client: aiomqtt.Client | None = None
        # By correlation data; the ack, or None where the connection that it would have come over
        # is gone.
        self._waiting: dict[bytes, asyncio.Future[bytes | None]] = {}

    async def push(self, topic: FeedTopic, message: bytes) -> bytes:
        """Have the ingester take a message; return its ack, as `AckMessage` in JSON.

        Args:
            topic: The feed, of a gateway that is known to be asking.
            message: As it was posted; at most 64 KiB.

        Raises:
            TooManyPostsError: As many of the gateway's wait as may.
            BrokerAwayError: The broker is not there, or went away meanwhile.
            NoAckError: No ack came in time.
        """
        client = self._client
        if client is None:
            raise BrokerAwayError
        with self._places.taken(topic.gateway_id):
            reply = Reply.new(self._pusher)
            waiting: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
            self._waiting[reply.correlation] = waiting
            try:
                async with asyncio.timeout(ACK_WITHIN_S):
                    await client.publish(
                        topic.push_topic, message, qos=1, properties=_properties(reply)
                    )
                    ack = await waiting
            except TimeoutError as error:
                raise NoAckError from error
            except aiomqtt.MqttError as error:
                raise BrokerAwayError from error
            finally:
                del self._waiting[reply.correlation]
        if ack is None:
            raise BrokerAwayError
        return ack

    async def follow(self, url: MqttUrl, authorities: Path | None) -> None:
        """Keep the connection to the broker, and take acks, until cancelled."""
        while True:
            try:
                async with _client(url, authorities) as client:
                    await client.subscribe(push_acks_topic(self._pusher), qos=1)
                    self._client = client
                    async for message in client.messages:
                        self._take(message)
            except aiomqtt.MqttError as error:
                log.warning("broker away: nothing can be handed on", error=str(error))
            finally:
                self._client = None
                self._lose_all()
            await asyncio.sleep(background.AGAIN_S)

    def _take(self, message: aiomqtt.Message) -> None:
        """Give an ack to whoever waits for it; one that comes too late is dropped."""
        correlation = getattr(message.properties, "CorrelationData", None)
        waiting = self._waiting.get(correlation) if isinstance(correlation, bytes) else None
        if waiting is not None and not waiting.done() and isinstance(message.payload, bytes):
            waiting.set_result(message.payload)

    def _lose_all(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)


def _client(url: MqttUrl, authorities: Path | None) -> aiomqtt.Client:
    client = aiomqtt.Client(
        url.host or "127.0.0.1",
        mqtt_port(url),
        username=url.username,
        password=url.password,
        identifier=url.username,
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_context=tls(url, authorities),
        timeout=background.PATIENCE_S,
        # Each message is waited for: none may lie about until others come.
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )
    client.pending_calls_threshold = _MANY
    return client


def _properties(reply: Reply) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.CorrelationData = reply.correlation
    # Whoever posted it sends it again by then.
    properties.MessageExpiryInterval = ACK_WITHIN_S
    return properties


@asynccontextmanager
async def pushing(
    pushes: Pushes, url: MqttUrl | None, authorities: Path | None = None
) -> AsyncIterator[Pushes]:
    """Hand messages on until the context ends.

    Args:
        pushes: What is handed on.
        url: The broker, with this process's own user; None refuses every message.
        authorities: Who may have signed its certificate; None for the system's.
    """
    tasks = [asyncio.create_task(pushes.follow(url, authorities))] if url else []
    try:
        yield pushes
    finally:
        await background.stop(tasks)


class Handing:
    """The dependency of a route that hands messages on; gives the `Pushes`."""

    async def __call__(self, request: Request) -> Pushes:
        """Refuse at once what could not be committed.

        Raises:
            DatabaseAwayError: The database is away.
        """
        if (await resources_of(request)).database.is_away:
            raise DatabaseAwayError
        pushes: Pushes = request.app.state.pushes
        return pushes

    async def admit(self, request: Request) -> None:
        """Refuse it before the body is read."""
        await self(request)


Handover = Annotated[Pushes, Depends(Handing())]
