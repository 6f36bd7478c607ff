"""How the load's MQTT connections are set up: one thread reads and writes for all of them.

With a thread for each gateway, as paho's `loop_start` has it, threads contend for the interpreter,
and the load is slower than what it measures.
"""

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread, current_thread
from typing import Any, Final

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from simulators.feeds import ack_filter
from simulators.registry import Broker, Credentials

# The longest that a message waits which was published while the one before left.
_LOOK_EVERY_S: Final = 0.005
_TEND_EVERY_S: Final = 1.0
_LEAVE_WITHIN_S: Final = 5.0


class _Network:
    """Reads and writes for clients, in a thread of its own.

    paho's `want_write` is asked at each turn: its callback can be lost between two threads.
    """

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._by_socket: dict[int, Client] = {}
        self._kept: set[Client] = set()
        self._hears, self._wakes = socket.socketpair()
        self._hears.setblocking(False)  # noqa: FBT003 - the socket's own name
        self._poll.register(self._hears, select.EPOLLIN)
        self._is_woken = False
        self._thread = Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    def keep(self, client: Client) -> None:
        """Read and write for a client as soon as it connects; connect it again if it is lost."""
        client.on_socket_open = self._opened
        client.on_socket_close = self._closed
        client.on_socket_register_write = self._wake

    def let_go(self, client: Client) -> None:
        """Do not connect a client again, until it connects by itself."""
        self._kept.discard(client)

    def _opened(self, client: Client, _userdata: object, opened: Any) -> None:
        # With Nagle's algorithm a message waits up to 40 ms for the peer's delayed TCP
        # acknowledgement of the one before, and the load would measure that.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._by_socket[opened.fileno()] = client
        self._poll.register(opened, select.EPOLLIN)
        self._kept.add(client)

    def _closed(self, _client: Client, _userdata: object, closed: Any) -> None:
        self._poll.unregister(closed)
        del self._by_socket[closed.fileno()]

    def _wake(self, *_: object) -> None:
        if not self._is_woken and current_thread() is not self._thread:
            self._is_woken = True
            self._wakes.send(b"\0")

    def _run(self) -> None:
        tended_s = time.monotonic()
        while True:
            for number, _ in self._poll.poll(_LOOK_EVERY_S):
                if client := self._by_socket.get(number):
                    client.loop_read()
                elif number == self._hears.fileno():
                    self._hears.recv(64)
            # Before the writing: what is published from here on wakes again.
            self._is_woken = False
            for client in list(self._by_socket.values()):
                if client.want_write():
                    client.loop_write()
            if time.monotonic() >= tended_s + _TEND_EVERY_S:
                tended_s = time.monotonic()
                self._tend()

    def _tend(self) -> None:
        """Do paho's housekeeping; connect again whoever has lost the connection."""
        for client in list(self._kept):
            client.loop_misc()
            if client.socket() is None and client in self._kept:
                with suppress(OSError):
                    client.reconnect()


_LOCK: Final = Lock()
_networks: Final[list[_Network]] = []


def _network() -> _Network:
    """Return the process's, which begins with its first client."""
    with _LOCK:
        if not _networks:
            _networks.append(_Network())
        return _networks[0]


def connected(
    broker: Broker,
    gateway: Credentials,
    hear: Callable[[MQTTMessage], None],
    listening: Event,
    lost: Callable[[], None],
) -> Client:
    """Connect a gateway that hears its acks, in one thread for all of them.

    Args:
        broker: Where it connects.
        gateway: Its user, which is also its client id, and its password.
        hear: Gets each ack.
        listening: Set once acks would be heard.
        lost: Called when the connection is lost.
    """
    client = Client(CallbackAPIVersion.VERSION2, client_id=gateway.username)
    client.username_pw_set(gateway.username, gateway.password)
    # No limit of paho's: with one, it walks through all that is in flight at each PUBACK.
    client.max_inflight_messages_set(0)

    def subscribe(*_: Any) -> None:
        client.subscribe(ack_filter(gateway.username), qos=1)

    client.on_connect = subscribe
    client.on_subscribe = lambda *_: listening.set()
    client.on_message = lambda _client, _userdata, message: hear(message)
    client.on_disconnect = lambda *_: lost()
    _network().keep(client)
    client.connect(broker.host, broker.port)
    return client


def come_back(client: Client) -> None:
    """Disconnect a gateway, and connect it again."""
    lost = client.on_disconnect
    leave(client)
    client.on_disconnect = lost
    client.reconnect()


def leave(client: Client) -> None:
    """Disconnect; what was published before leaves first."""
    client.on_disconnect = None
    _network().let_go(client)
    client.disconnect()
    deadline = time.monotonic() + _LEAVE_WITHIN_S
    while client.socket() is not None and time.monotonic() < deadline:
        time.sleep(0.001)
