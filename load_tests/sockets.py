"""How the load's MQTT connections are set up."""

import socket
from collections.abc import Callable
from threading import Event
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from simulators.feeds import ack_filter

Hear = Callable[[MQTTMessage], None]


def send_at_once(_client: Any, _userdata: Any, opened: Any) -> None:
    """Switch Nagle's algorithm off, as a paho client's `on_socket_open`.

    With it, a message waits up to 40 ms for the peer's delayed TCP acknowledgement of the one
    before, and the load would measure that.
    """
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def connected(
    at: tuple[str, int],
    login: tuple[str, str],
    hear: Hear,
    listening: Event,
    lost: Callable[[], None] | None = None,
) -> Client:
    """Connect a gateway that hears its acks, in a thread of paho's.

    Args:
        at: The broker's host and port.
        login: The gateway's user, also its client id, and password.
        hear: Gets each ack.
        listening: Set once acks would be heard.
        lost: Called when the connection is lost.
    """
    client = Client(CallbackAPIVersion.VERSION2, client_id=login[0])
    client.username_pw_set(*login)
    client.max_inflight_messages_set(2000)

    def subscribe(*_: Any) -> None:
        client.subscribe(ack_filter(login[0]), qos=1)

    client.on_socket_open = send_at_once
    client.on_connect = subscribe
    client.on_subscribe = lambda *_: listening.set()
    client.on_message = lambda _client, _userdata, message: hear(message)
    if lost is not None:
        client.on_disconnect = lambda *_: lost()
    client.connect(*at)
    client.loop_start()
    return client


def leave(client: Client) -> None:
    """Disconnect, and end paho's thread."""
    client.on_disconnect = None
    client.disconnect()
    client.loop_stop()
