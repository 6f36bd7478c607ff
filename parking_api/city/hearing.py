"""Hears the retained states of all lots at the broker: paho-mqtt on this event loop.

aiomqtt reads one packet and wakes one task in each turn of the loop. Beside questions a turn takes
a millisecond or more, so that some hundreds of states a second were the most, and more of them
waited for seconds. Here a turn takes all that has come, up to `_MOST_A_TURN`.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest_mqtt.wire import STATES
from parking_api import background
from parking_api.settings import MqttUrl, mqtt_port, tls

_KEEPALIVE_S: Final = 30
_TEND_EVERY_S: Final = 1.0
# Some 3 ms; questions have their turn in between.
_MOST_A_TURN: Final = 50


class BrokerAwayError(Exception):
    """The broker is not reached, refuses us, or the connection is lost."""


class Hearing:
    """One connection to the broker.

    Args:
        url: The broker; the user name is also the client id.
        hear: Called with the payload of each state, in the loop. What it raises ends the
            connection.
        authorities: Who may have signed the broker's certificate; None for the system's.
    """

    def __init__(
        self, url: MqttUrl, hear: Callable[[bytes], None], authorities: Path | None = None
    ) -> None:
        self._url, self._hear = url, hear
        self._loop = asyncio.get_running_loop()
        self._heard = 0
        self._watched: int | None = None
        self._accepted: asyncio.Future[bool] = self._loop.create_future()
        self._lost = asyncio.Event()
        user = url.username or ""
        client = self._client = Client(CallbackAPIVersion.VERSION2, client_id=user)
        client.username_pw_set(user, url.password or "")
        if (context := tls(url, authorities)) is not None:
            client.tls_set_context(context)
        client.on_message = self._received
        client.on_connect = self._answered
        client.on_disconnect = self._ended
        client.on_socket_close = self._unwatch

    async def run(self, subscribed: Callable[[], None]) -> None:
        """Hear states until the connection is lost.

        Args:
            subscribed: Called once states come.

        Raises:
            BrokerAwayError: In any case, unless it is cancelled.
        """
        try:
            await self._connect()
            # A state that is lost on a standing connection does not exist at QoS 0 either: TCP
            # carries it, and the broker's queue has the same bounds. Each would cost an answer.
            self._client.subscribe(STATES, qos=0)
            subscribed()
            while not self._lost.is_set():
                if self._client.loop_misc() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    break
                if self._client.want_write():
                    self._client.loop_write()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_TEND_EVERY_S):
                        await self._lost.wait()
        finally:
            self._client.disconnect()
        raise BrokerAwayError("the connection is lost")

    async def _connect(self) -> None:
        # paho waits for the address and the connection: not in the loop.
        opening = self._loop.run_in_executor(None, self._open)
        try:
            await asyncio.shield(opening)
        except OSError as error:
            raise BrokerAwayError(str(error)) from error
        except asyncio.CancelledError:
            opening.add_done_callback(lambda _: self._client.disconnect())
            raise
        sock = self._client.socket()
        if sock is None:
            raise BrokerAwayError("the connection is lost")
        self._watched = sock.fileno()
        self._loop.add_reader(self._watched, self._read)
        try:
            async with asyncio.timeout(background.PATIENCE_S):
                if not await self._accepted:
                    raise BrokerAwayError("the broker refused us")
        except TimeoutError as error:
            raise BrokerAwayError("no answer") from error

    def _open(self) -> None:
        at = self._url
        self._client.connect(at.host or "127.0.0.1", mqtt_port(at), keepalive=_KEEPALIVE_S)

    def _read(self) -> None:
        """Read what has come: paho reads one packet at each call."""
        for _ in range(_MOST_A_TURN):
            before = self._heard
            try:
                self._client.loop_read()
            except Exception:
                self._lost.set()
                raise
            if self._heard == before:
                break
        # What TLS has deciphered already does not show at the socket.
        sock = self._client.socket()
        if isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending():
            self._loop.call_soon(self._read)

    def _answered(
        self,
        _client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if not self._accepted.done():
            self._accepted.set_result(not reason.is_failure)

    def _ended(self, *_: object) -> None:
        if not self._accepted.done():
            self._accepted.set_result(False)
        self._lost.set()

    def _received(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._heard += 1
        self._hear(bytes(message.payload))

    def _unwatch(self, *_: object) -> None:
        watched, self._watched = self._watched, None
        if watched is not None:
            self._loop.remove_reader(watched)
