"""The connection to the broker: paho-mqtt on this event loop, which reconnects for ever.

The loop itself watches paho's socket, so that messages, commits and acks run in one thread and in
one order. Nothing is acknowledged to the broker until `confirm` is called. A fault here, in paho or
in a callback, costs the connection at most: a new one is made.
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

from ingest_mqtt.subscriptions import Arrival, arrival, subscribe

log = structlog.get_logger()

KEEPALIVE_S = 30
# One program calls: it can afford to be back within a second.
BACK_OFF_S = (0.25, 1.0)
# What may wait for the broker's PUBACK before no more batches are taken.
MOST_UNSENT = 10_000
MOST_UNSENT_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Broker:
    """The broker's address and our credentials; the user name is also the client id.

    Attributes:
        receive_maximum: Most messages that the broker sends before we confirm one.
    """

    host: str
    port: int
    username: str
    password: str
    session_expiry_s: int
    receive_maximum: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as the broker delivered it.

    Attributes:
        topic: As published.
        payload: Its bytes.
        qos: 0 or 1; the broker makes 1 of 2, since we subscribe so.
        mid: The broker's number for the delivery; 0 at QoS 0.
        connection: Which connection of ours it came over; `mid` means nothing on another.
    """

    topic: str
    payload: bytes
    qos: int
    mid: int
    connection: int


class Link:
    """A persistent MQTT v5 session that reconnects for ever.

    Args:
        broker: Where to.
        on_message: Called with each message; False where it was dropped, and is never confirmed
            by the caller.
        on_connected: Called after each connect, once subscribed, with the number of the
            connection and whether the broker had kept our session.
    """

    def __init__(
        self,
        broker: Broker,
        on_message: Callable[[Delivery], bool],
        on_connected: Callable[[int, bool], None],
    ) -> None:
        self.connection = 0
        self._broker = broker
        self._on_message, self._on_connected = on_message, on_connected
        self._loop = asyncio.get_running_loop()
        self._lost = asyncio.Event()
        # Sizes of what the broker has not yet acknowledged, by paho's numbers.
        self._unsent: dict[int, int] = {}
        self._unsent_bytes = 0
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._client = self._make_client()
        self._ack = self._guarded(self._client.ack)

    def _make_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._broker.username,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        client.username_pw_set(self._broker.username, self._broker.password)
        # No limit of paho's: with one, it walks through all that is in flight at each PUBACK.
        client.max_inflight_messages_set(0)
        client.on_connect = self._guarded(self._connected)
        client.on_disconnect = self._disconnected
        client.on_message = self._guarded(self._received)
        client.on_publish = self._guarded(self._published)
        client.on_socket_open = self._in_loop(self._watch)
        client.on_socket_close = self._in_loop(self._unwatch)
        client.on_socket_register_write = self._in_loop(self._watch_write)
        client.on_socket_unregister_write = self._in_loop(self._unwatch_write)
        return client

    def _guarded(self, action: Callable[..., Any]) -> Callable[..., None]:
        """Wrap a callback: an exception drops the connection and goes no further."""

        def callback(*arguments: Any) -> None:
            try:
                action(*arguments)
            except Exception:
                log.exception("the link to the broker broke", step=action.__name__)
                self._drop()

        return callback

    def _in_loop(self, action: Callable[[socket.socket], None]) -> Callable[..., None]:
        """Wrap a callback to run in the loop: paho connects in a thread of its own."""
        guarded = self._guarded(action)

        def callback(_client: Client, _userdata: Any, sock: Any) -> None:
            try:
                here = asyncio.get_running_loop() is self._loop
            except RuntimeError:
                here = False
            if here:
                guarded(sock)
            else:
                self._loop.call_soon_threadsafe(guarded, sock)

        return callback

    def _watch(self, sock: socket.socket) -> None:
        # Else an ack may wait 40 ms for the broker's delayed TCP acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop.add_reader(sock, self._guarded(self._client.loop_read))

    def _unwatch(self, sock: socket.socket) -> None:
        # What uvloop raises of a socket that is closed or that it does not watch.
        with contextlib.suppress(ValueError, OSError, RuntimeError):
            self._loop.remove_reader(sock)
        self._unwatch_write(sock)

    def _watch_write(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:
            self._loop.add_writer(sock, self._guarded(self._client.loop_write))

    def _unwatch_write(self, sock: socket.socket) -> None:
        with contextlib.suppress(ValueError, OSError, RuntimeError):
            self._loop.remove_writer(sock)

    def _drop(self) -> None:
        """Drop the connection; `run` makes the next one, which closes this one's socket."""
        sock = self._client.socket()
        with contextlib.suppress(OSError, AttributeError):
            sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        self._loop.call_soon_threadsafe(self._lost.set)

    def reconnect(self) -> None:
        """Make a new connection, over which the broker sends unconfirmed messages again.

        Confirmations made before go out first; the broker keeps the session.
        """
        self._guarded(self._client.disconnect)()

    async def run(self) -> None:
        """Keep the session connected until cancelled."""
        wait_s = BACK_OFF_S[0]
        while True:
            self._lost.clear()
            try:
                if await self._connect():
                    wait_s = BACK_OFF_S[0]
                    await self._keep()
            except Exception:
                log.exception("the link to the broker broke", step="run")
            # Paho's own random back-off exists only in its threaded loop.
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311
            wait_s = min(2 * wait_s, BACK_OFF_S[1])

    async def _connect(self) -> bool:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._broker.session_expiry_s
        properties.ReceiveMaximum = self._broker.receive_maximum
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
        subscribe(client)
        self._on_connected(self.connection, flags.session_present)

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
        came = arrival(message)
        if came.clears:
            # Before it is confirmed: after a crash in between it comes, and is cleared, again.
            self.publish(message.topic, b"", retain=True)
        delivery = Delivery(
            message.topic, bytes(message.payload), message.qos, message.mid, self.connection
        )
        is_unread = came is Arrival.IGNORED or came is Arrival.STORED
        if is_unread or not self._on_message(delivery):
            self.confirm(delivery.qos, delivery.mid, delivery.connection)

    def confirm(self, qos: int, mid: int, connection: int) -> None:
        """Acknowledge a message to the broker, unless it came over an earlier connection.

        A message at QoS 0 has no number; to acknowledge it would cost us the connection.
        """
        if qos > 0 and mid > 0 and connection == self.connection:
            self._ack(mid, qos)

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open and accepted, as far as is known."""
        return self._client.is_connected() and not self._lost.is_set()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> None:
        """Publish a message; at QoS 1 paho keeps it until the broker has it, across reconnects."""
        try:
            info = self._client.publish(topic, payload, qos=qos, retain=retain)
        except Exception:
            # What paho had taken in already goes out at the reconnect.
            log.exception("the link to the broker broke", step="publish")
            self._drop()
            return
        if info.rc not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            # Not the topic: that of an ack names the lot as the message did, registered or not.
            log.warning("not published", bytes=len(payload), rc=int(info.rc))
        elif qos:
            self._unsent[info.mid] = len(topic) + len(payload)
            self._unsent_bytes += len(topic) + len(payload)
            self._look_for_room()

    def _published(
        self,
        _client: Client,
        _userdata: Any,
        mid: int,
        _reason: ReasonCode,
        _properties: Properties,
    ) -> None:
        self._unsent_bytes -= self._unsent.pop(mid, 0)
        self._look_for_room()

    async def room(self) -> None:
        """Wait until few enough messages wait for the broker, which may be away or slow."""
        await self._roomy.wait()

    def _look_for_room(self) -> None:
        if len(self._unsent) > MOST_UNSENT or self._unsent_bytes > MOST_UNSENT_BYTES:
            self._roomy.clear()
        else:
            self._roomy.set()

    async def close(self) -> None:
        """Disconnect; the broker keeps the session."""
        self._guarded(self._client.disconnect)()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._lost.wait(), timeout=1.0)
