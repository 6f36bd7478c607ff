"""The connection to the broker: paho-mqtt on this event loop, which reconnects for ever.

The loop itself watches paho's socket, so that messages, commits and acks run in one thread and in
one order. Nothing is acknowledged to the broker until `confirm` is called. A fault here, in paho or
in a callback, costs the connection at most: a new one is made.

mosquitto 2.0 keeps to no receive maximum once messages have had to queue: one confirmation lets all
of the queue go. So the socket is not read while too much waits here: TCP holds the broker up.
"""

import asyncio
import contextlib
import random
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import datetime

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest_mqtt.effects import Received
from ingest_mqtt.settings import IngestSettings
from ingest_mqtt.subscriptions import Arrival, addressed, arrival, subscribe

log = structlog.get_logger()

KEEPALIVE_S = 30
DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}
# One program calls: it can afford to be back within a second.
BACK_OFF_S = (0.25, 1.0)
# Some 10 ms; then others have their turn.
MOST_A_TURN = 100


class Link:
    """A persistent MQTT v5 session that reconnects for ever.

    Args:
        settings: The broker's address, our credentials (the user name is also the client id), and
            what the session may hold.
        clock: The platform's clock, aware.
        on_message: Called with each message; False where it was dropped, and is never confirmed
            by the caller.
        on_connected: Called after each connect, once subscribed, with the number of the
            connection and whether the broker had kept our session.
        is_full: Whether too much waits for more to be read; `read_on` is called once less does.
    """

    def __init__(
        self,
        settings: IngestSettings,
        clock: Callable[[], datetime],
        on_message: Callable[[Received], bool],
        on_connected: Callable[[int, bool], None],
        is_full: Callable[[], bool],
    ) -> None:
        self.connection = 0
        self._settings, self._clock = settings, clock
        self._on_message, self._on_connected = on_message, on_connected
        self._is_full = is_full
        # The socket that is not read at the moment.
        self._held: socket.socket | None = None
        self._loop, self._loop_thread = asyncio.get_running_loop(), threading.get_ident()
        self._lost = asyncio.Event()
        self._heard = 0
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._client = self._make_client()
        self._ack = self._guarded(self._client.ack)

    def _make_client(self) -> Client:
        user = self._settings.mqtt_url.username or ""
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=user,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        client.username_pw_set(user, self._settings.mqtt_url.password or "")
        if self._settings.mqtt_url.scheme == "mqtts":
            client.tls_set_context(ssl.create_default_context(cafile=self._settings.mqtt_ca))
        client.on_connect = self._guarded(self._connected)
        client.on_disconnect = self._disconnected
        client.on_message = self._guarded(self._received)
        client.on_socket_open = self._in_loop(self._watch)
        client.on_socket_close = self._in_loop(self._unwatch)
        client.on_socket_register_write = self._in_loop(self._watch_write)
        client.on_socket_unregister_write = self._in_loop(self._unwatch_write)
        return client

    def _guarded(self, action: Callable[..., object]) -> Callable[..., None]:
        """Wrap a callback: an exception drops the connection and goes no further."""

        def callback(*arguments: object) -> None:
            try:
                action(*arguments)
            except Exception:
                log.exception("the link to the broker broke", step=action.__name__)
                self._drop()

        return callback

    def _in_loop(self, action: Callable[[socket.socket], None]) -> Callable[..., None]:
        """Wrap a callback to run in the loop: paho connects in a thread of its own."""
        guarded = self._guarded(action)

        def callback(_client: Client, _userdata: object, sock: object) -> None:
            if threading.get_ident() == self._loop_thread:
                guarded(sock)
            else:
                self._loop.call_soon_threadsafe(guarded, sock)

        return callback

    def _watch(self, sock: socket.socket) -> None:
        # Else an ack may wait 40 ms for the broker's delayed TCP acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read_from(sock)

    def _read_from(self, sock: socket.socket) -> None:
        self._held = None
        self._loop.add_reader(sock, self._guarded(self._read), sock)

    def _read(self, sock: socket.socket) -> None:
        """Read what has come: paho reads one packet at each call."""
        for _ in range(MOST_A_TURN):
            heard = self._heard
            self._client.loop_read()
            if self._is_full() and sock.fileno() >= 0:
                self._held = sock
                self._loop.remove_reader(sock)
                return
            if self._heard == heard:
                break
        # What TLS has deciphered already does not show at the socket.
        if isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending():
            self._loop.call_soon(self._guarded(self._read_more), sock)

    def _read_more(self, sock: socket.socket) -> None:
        if sock is self._client.socket() and self._held is None:
            self._read(sock)

    def read_on(self) -> None:
        """Read again, unless too much waits still; called whenever less does."""
        sock = self._held
        if sock is not None and sock.fileno() >= 0 and not self._is_full():
            self._guarded(self._read_from)(sock)

    def _unwatch(self, sock: socket.socket) -> None:
        self._held = None
        # What uvloop raises of a socket that is closed or that it does not watch.
        with contextlib.suppress(ValueError, OSError, RuntimeError):
            self._loop.remove_reader(sock)
        self._unwatch_write(sock)

    def _watch_write(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:
            self._roomy.clear()
            self._loop.add_writer(sock, self._guarded(self._client.loop_write))

    def _unwatch_write(self, sock: socket.socket) -> None:
        self._roomy.set()
        with contextlib.suppress(ValueError, OSError, RuntimeError):
            self._loop.remove_writer(sock)

    def _drop(self) -> None:
        """Drop the connection; `run` makes the next one, which closes this one's socket."""
        sock = self._client.socket()
        with contextlib.suppress(OSError, AttributeError):
            sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        self._loop.call_soon_threadsafe(self._lost.set)

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
        properties.SessionExpiryInterval = self._settings.session_expiry_s
        properties.ReceiveMaximum = self._settings.receive_maximum
        self.connection += 1
        try:
            await asyncio.to_thread(
                self._client.connect,
                self._settings.mqtt_url.host or "127.0.0.1",
                self._settings.mqtt_url.port or DEFAULT_PORTS[self._settings.mqtt_url.scheme],
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
            # Where nothing is read it misses the answers to its pings. The broker hears our beats.
            if self._held is None and self._client.loop_misc() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._lost.wait()

    def _connected(
        self,
        client: Client,
        _userdata: object,
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
        _userdata: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        log.warning("connection to broker lost", reason=str(reason))
        self._loop.call_soon_threadsafe(self._lost.set)

    def _received(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._heard += 1
        came = arrival(message)
        if came.clears:
            # Before it is confirmed: after a crash in between it comes, and is cleared, again.
            self.publish(message.topic, b"", retain=True)
        topic, reply = addressed(message)
        received = Received(
            topic,
            bytes(message.payload),
            self._clock(),
            message.mid,
            self.connection,
            message.qos,
            reply=reply,
        )
        if came in (Arrival.IGNORED, Arrival.STORED) or not self._on_message(received):
            self.confirm(received)

    def confirm(self, message: Received) -> None:
        """Acknowledge a message to the broker, unless it came over an earlier connection.

        A message at QoS 0 has no number; to acknowledge it would cost us the connection.
        """
        if message.qos > 0 and message.mid > 0 and message.connection == self.connection:
            self._ack(message.mid, message.qos)

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open and accepted, as far as is known."""
        return self._client.is_connected() and not self._lost.is_set()

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        correlation: bytes | None = None,
    ) -> None:
        """Publish a message at QoS 0; without a connection it is lost.

        A lost ack is sent again: its message is confirmed after it on the same connection, and else
        comes again. States are all published at each connect. At QoS 1 the broker's answers would
        stand behind all that it has queued for us, and what we publish would wait for what we
        cannot take in.
        """
        properties = None
        if correlation is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.CorrelationData = correlation
        try:
            info = self._client.publish(topic, payload, 0, retain, properties)
        except Exception:
            log.exception("the link to the broker broke", step="publish")
            self._drop()
            return
        if info.rc not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            # Not the topic: that of an ack names the lot as the message did, registered or not.
            log.warning("not published", bytes=len(payload), rc=int(info.rc))

    async def room(self) -> None:
        """Wait until all that was published has left, or the connection is lost."""
        await self._roomy.wait()

    async def close(self) -> None:
        """Disconnect; the broker keeps the session."""
        self._guarded(self._client.disconnect)()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._lost.wait()
