"""Taken ports are stepped over."""

import socket
from collections.abc import Iterator

import pytest

from deploy.ports import LOOPBACK, any_free, is_free, next_free


@pytest.fixture(params=[LOOPBACK, "0.0.0.0"])  # noqa: S104 - what another program may have bound
def taken(request: pytest.FixtureRequest) -> Iterator[int]:
    with socket.socket() as other:
        other.bind((request.param, 0))
        other.listen()
        yield int(other.getsockname()[1])


def test_taken_port_is_stepped_over(taken: int) -> None:
    assert not is_free(taken)
    found = next_free(taken)
    assert found > taken
    assert is_free(found)


def test_port_promised_to_another_service_is_stepped_over() -> None:
    first = next_free(20000)
    assert next_free(20000, [first]) > first


def test_port_of_a_server_that_has_just_ended_is_free() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((LOOPBACK, 0))
        server.listen()
        port = int(server.getsockname()[1])
        with socket.create_connection((LOOPBACK, port)) as caller:
            accepted, _ = server.accept()
            # The server hangs up first: its side of the connection goes to TIME_WAIT.
            accepted.close()
            assert caller.recv(1) == b""
    assert is_free(port)


def test_any_free_port_can_be_bound() -> None:
    assert is_free(any_free())
