"""Free TCP ports on loopback."""

import socket
from collections.abc import Collection

import psutil

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Tell whether a server could listen on `port` of 127.0.0.1 now.

    A port in TIME_WAIT counts as free, as it does for the servers, which reuse addresses; one that
    is listened on at any address that covers loopback (0.0.0.0, ::) does not.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def next_free(wanted: int, taken: Collection[int | None] = ()) -> int:
    """Step upward from `wanted` to the first port that is free and not among `taken`.

    Raises:
        OSError: No port up to 65535 is free.
    """
    for port in range(wanted, 65536):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port from {wanted} up")


def any_free() -> int:
    """Return a port that the system says is free; another program may take it meanwhile."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def listens(pid: int, port: int) -> bool:
    """Tell whether process `pid` itself, or a child of it, listens on TCP `port`.

    That something answers there is not enough: another program may have taken the port meanwhile.
    """
    try:
        process = psutil.Process(pid)
        sockets = [
            one
            for each in (process, *process.children(recursive=True))
            for one in each.net_connections(kind="tcp")
        ]
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in sockets)
