"""How the load's MQTT connections are set up."""

import socket
from typing import Any


def send_at_once(_client: Any, _userdata: Any, opened: Any) -> None:
    """Switch Nagle's algorithm off, as a paho client's `on_socket_open`.

    With it, a message waits up to 40 ms for the peer's delayed TCP acknowledgement of the one
    before, and the load would measure that.
    """
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
