"""The one boundary to the broker: paho-mqtt on this event loop, errors turned into our own.

Paho's socket is watched by the loop itself, so that messages, commits and acks run in one thread
and in one order. Nothing is acknowledged to the broker until `confirm` is called.
"""

import asyncio
import contextlib
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from paho.mqtt.client import (
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
)
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

log = structlog.get_logger()

KEEPALIVE_S = 30
BACK_OFF_S = (0.5, 30.0)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and who we are to it; the user name is the client id as well."""

    host: str
    port: int
    username: str
    password: str
    session_expiry_s: int


class Link:
    """A persistent MQTT v5 session that reconnects for ever.

    Args:
        broker: Where to.
        topic: What to subscribe to, at QoS 1.
        on_message: Called with (topic, payload, mid, connection) of each message; False where
            it was dropped, and is never confirmed by the caller.
        on_connected: Called after each connect, once subscribed.
    """

    def __init__(
        self,
        broker: Broker,
        topic: str,
        on_message: Callable[[str, bytes, int, int], bool],
        on_connected: Callable[[], None],
    ) -> None:
        self.connection = 0
        self._broker, self._topic = broker, topic
        self._on_message, self._on_connected = on_message, on_connected
        self._loop = asyncio.get_running_loop()
        self._lost = asyncio.Event()
        self._client = self._make_client()

    def _make_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._broker.username,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        client.username_pw_set(self._broker.username, self._broker.password)
        # No limit of our own: with one, paho walks through all that is in flight at each PUBACK.
        client.max_inflight_messages_set(0)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._received
        client.on_socket_open = self._in_loop(self._watch)
        client.on_socket_close = self._in_loop(self._unwatch)
        client.on_socket_register_write = self._in_loop(self._watch_write)
        client.on_socket_unregister_write = self._in_loop(self._unwatch_write)
        return client

    def _in_loop(self, action: Callable[[socket.socket], None]) -> Callable[..., None]:
        """Paho connects in a thread of its own; the loop is only touched from its own."""

        def callback(_client: Client, _userdata: Any, sock: Any) -> None:
            try:
                here = asyncio.get_running_loop() is self._loop
            except RuntimeError:
                here = False
            if here:
                action(sock)
            else:
                self._loop.call_soon_threadsafe(action, sock)

        return callback

    def _watch(self, sock: socket.socket) -> None:
        # Else an ack may wait 40 ms for the broker's delayed TCP acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop.add_reader(sock, self._client.loop_read)

    def _unwatch(self, sock: socket.socket) -> None:
        with contextlib.suppress(ValueError, OSError):
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    def _watch_write(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:
            self._loop.add_writer(sock, self._client.loop_write)

    def _unwatch_write(self, sock: socket.socket) -> None:
        with contextlib.suppress(ValueError, OSError):
            self._loop.remove_writer(sock)

    async def run(self) -> None:
        """Keep the session connected until cancelled."""
        wait_s = BACK_OFF_S[0]
        while True:
            self._lost.clear()
            if await self._connect():
                wait_s = BACK_OFF_S[0]
                await self._keep()
            # Paho's own random back-off exists only in its threaded loop.
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311
            wait_s = min(2 * wait_s, BACK_OFF_S[1])

    async def _connect(self) -> bool:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._broker.session_expiry_s
        self.connection += 1
        try:
            await asyncio.to_thread(
                self._client.connect,
                self._broker.host,
                self._broker.port,
                keepalive=KEEPALIVE_S,
                clean_start=False,
                properties=properties,
            )
        except OSError as error:
            log.warning("broker not reached", error=str(error))
            return False
        return True

    async def _keep(self) -> None:
        """Do paho's housekeeping until the connection is lost."""
        while not self._lost.is_set():
            if self._client.loop_misc() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                break
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), timeout=1.0)

    def _connected(
        self,
        client: Client,
        _userdata: Any,
        flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.error("broker refused us", reason=str(reason))
            return
        log.info("connected to broker", session_present=flags.session_present)
        # Retained feeds are not wanted: they would come again at each reconnect.
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        client.subscribe(self._topic, options=options)
        self._on_connected()

    def _disconnected(
        self,
        _client: Client,
        _userdata: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        log.warning("connection to broker lost", reason=str(reason))
        self._loop.call_soon_threadsafe(self._lost.set)

    def _received(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        mid, connection = message.mid, self.connection
        if not self._on_message(message.topic, bytes(message.payload), mid, connection):
            self.confirm(mid, connection)

    def confirm(self, mid: int, connection: int) -> None:
        """Acknowledge a message to the broker, unless it came over an earlier connection."""
        if connection == self.connection:
            self._client.ack(mid, 1)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1; kept by paho until the broker has it, across reconnects.

        With all 65,535 numbers in flight it is dropped: an ack is then asked for again by its
        gateway, and the states are all published at the reconnect that must follow.
        """
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            log.warning("too many messages in flight to the broker", topic=topic)

    async def close(self) -> None:
        """Say goodbye; the session stays with the broker."""
        self._client.disconnect()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._lost.wait(), timeout=1.0)
