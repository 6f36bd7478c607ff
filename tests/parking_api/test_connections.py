"""What the server bounds, on a real process: heads, time, connections, bodies, memory."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import psutil
import pytest

from deploy.ports import any_free
from parking_api.connections import SECURITY
from tests.polling import until
from tests.servers import Databases, api_environment

BOUNDS = {
    "API_WORKERS": "1",
    "API_HEAD_TIMEOUT_S": "1",
    "API_BODY_TIMEOUT_S": "2",
    "API_IDLE_TIMEOUT_S": "1",
}
HOST = "127.0.0.1"


@dataclass
class Server:
    """A running API."""

    port: int
    process: asyncio.subprocess.Process

    async def is_answering(self) -> bool:
        """Whether `/healthz` answers 200."""
        try:
            async with httpx.AsyncClient() as client:
                answer = await client.get(f"http://{HOST}:{self.port}/healthz", timeout=10)
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    async def ask(self, sent: bytes) -> bytes:
        """Send some bytes, and read all that comes back until the server closes."""
        reader, writer = await self.opened()
        writer.write(sent)
        try:
            async with asyncio.timeout(15):
                return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    async def opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection."""
        return await asyncio.open_connection(HOST, self.port)

    def memory_mb(self) -> float:
        """What it holds."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20


@asynccontextmanager
async def served(database_url: str, **settings: str) -> AsyncIterator[Server]:
    """An API process; it ends with the context."""
    port = any_free()
    environment = {**os.environ, **BOUNDS, **api_environment(database_url), "API_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "parking_api", "serve"),
        env=environment | settings,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    server = Server(port, process)
    try:
        await until(server.is_answering, timeout_s=30)
        yield server
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture(scope="module")
async def server(databases: Databases) -> AsyncIterator[Server]:
    """One for all tests that leave it running."""
    url = await databases.create()
    async with served(url, API_MAX_CONNECTIONS="40") as running:
        yield running
    await databases.drop(url)


@pytest.fixture
async def own_server(database_url: str) -> AsyncIterator[Server]:
    """One that its test may stop."""
    async with served(database_url) as running:
        yield running


async def test_a_client_of_http_1_0_has_its_connection_closed(server: Server) -> None:
    asked = b"GET /v1/nearest?lon=120.3&lat=36.1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    answer = await server.ask(asked)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer.lower()


async def test_every_answer_has_the_headers_that_protect_its_reader(server: Server) -> None:
    asked = [
        b"GET /v1/nearest?lon=120.38&lat=36.06 HTTP/1.1",
        b"GET /v1/city HTTP/1.1",
        b"HEAD /docs HTTP/1.1",
        b"OPTIONS /v1/city HTTP/1.1",
        b"GET /none HTTP/1.1",
        b"GET /\xff HTTP/1.1",
    ]
    for line in asked:
        answer = await server.ask(line + b"\r\nHost: a\r\nConnection: close\r\n\r\n")
        head = answer.lower().partition(b"\r\n\r\n")[0].split(b"\r\n")
        for name, value in SECURITY:
            assert head.count(name + b": " + value.lower()) == 1, line
        assert not any(each.startswith(b"server:") for each in head)


async def test_any_page_may_read_what_the_server_itself_refuses(server: Server) -> None:
    answer = await server.ask(b"GET /v1/nearest?q=" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    head = answer.lower().partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert head[0].startswith(b"http/1.1 414 ")
    assert b"access-control-allow-origin: *" in head
    assert b"cache-control: no-store" in head


def status(answer: bytes) -> int:
    """The status of an answer, whose body is a problem where it is an error."""
    head, _, body = answer.partition(b"\r\n\r\n")
    number = int(head.split()[1])
    if number >= 400:
        assert b"application/problem+json" in head
        assert f'"status":{number}'.encode() in body
    return number


async def test_heads_are_bounded(server: Server) -> None:
    line = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    end = b"Connection: close\r\n\r\n"
    many = b"".join(b"a%d: b\r\n" % place for place in range(60))
    assert status(await server.ask(line + many + end)) == 200
    assert status(await server.ask(line + many * 2 + end)) == 431
    assert status(await server.ask(line + b"a: " + b"b" * 16_000 + b"\r\n" + end)) == 200
    assert status(await server.ask(line + b"a: " + b"b" * 17_000 + b"\r\n" + end)) == 431
    # Without end, and of many megabytes.
    assert status(await server.ask(line + b"a: " + b"b" * 10_000_000)) == 431
    assert status(await server.ask(b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\n\r\n")) == 414
    assert status(await server.ask(b"GET /" + b"a" * 10_000_000)) == 414
    nonsense = await server.ask(b"NONSENSE\r\n\r\n")
    assert status(nonsense) == 400
    assert b"The request could not be read as HTTP/1.1." in nonsense
    raw = await server.ask("GET /v1/places?q=五四广场 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert status(raw) == 400
    assert b"application/problem+json" in raw
    assert "percent-encode them, as %E4%BA%94 for 五" in raw.decode()
    assert status(await server.ask(line + b"Host: y\r\n" + end)) == 400
    assert await server.is_answering()


async def test_a_request_comes_in_time_or_is_refused(server: Server) -> None:
    head = b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\n"
    typed = b"Content-Type: application/json\r\n"
    assert status(await server.ask(head)) == 408
    assert status(await server.ask(head + typed + b"Content-Length: 9\r\n\r\n{")) == 408
    chunked = head + typed + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
    assert status(await server.ask(chunked)) == 408
    # Opened and never used, or no longer: closed without a word.
    assert await server.ask(b"") == b""
    kept = await server.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status(kept) == 200
    # Empty lines are no request, and keep no connection open.
    assert status(await server.ask(b"\r\n\r\n")) == 408


async def test_a_body_that_is_too_large_gets_its_answer(server: Server) -> None:
    head = b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    long = b"Content-Length: 400000000\r\n\r\n"
    assert status(await server.ask(head + long + b" " * 10_000_000)) == 413
    chunk = b"%x\r\n" % 100_000 + b" " * 100_000 + b"\r\n"
    assert status(await server.ask(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)) == 413
    # Who asks first whether to go on is told at once, and sends nothing.
    expecting = await server.ask(head + b"Expect: 100-continue\r\n" + long)
    assert status(expecting) == 413
    guarded = head.replace(b"/v1/quotes", b"/v1/enrolments") + long
    assert status(await server.ask(guarded + b"[" * 10_000_000)) == 401
    async with httpx.AsyncClient() as client:
        url = f"http://{HOST}:{server.port}/v1/enrolments"
        answer = await client.post(url, content=b"[" * 10_000_000)
    assert answer.status_code == 401


async def test_half_sent_requests_give_way_to_whole_ones(server: Server) -> None:
    before_mb = server.memory_mb()
    half_sent = []
    for _ in range(300):
        reader, writer = await server.opened()
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        half_sent.append((reader, writer))
        if len(half_sent) % 50 == 0:
            assert await server.is_answering()
    for reader, writer in half_sent:
        async with asyncio.timeout(15):
            try:
                answer = await reader.read()
            except ConnectionResetError:
                answer = b""
        assert answer == b"" or status(answer) == 408
        writer.close()
    assert await server.is_answering()
    assert server.memory_mb() - before_mb < 50


GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
OWING = {
    "a body": POST + b"Content-Length: 10\r\n\r\n",
    "a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    "a body that nobody asked for": GET + b"Content-Length: 9\r\n\r\n",
    "a body that is refused unread": POST.replace(b"quotes", b"people")
    + b"Content-Length: 10\r\n\r\n",
    "a reading of its answers": b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 5,
}


@pytest.mark.parametrize("what", OWING)
async def test_who_owes_something_gives_way(database_url: str, what: str) -> None:
    """Also where the head of the request is whole, or its answer is there."""
    long = {"API_BODY_TIMEOUT_S": "60", "API_HEAD_TIMEOUT_S": "60"}
    async with served(database_url, API_MAX_CONNECTIONS="20", **long) as server:
        opened = []
        for _ in range(60):
            sock = socket.create_connection((HOST, server.port))
            sock.sendall(OWING[what])
            opened.append(sock)
            if len(opened) % 20 == 0:
                assert await server.is_answering()
        assert await server.is_answering()
        for sock in opened:
            sock.close()


async def test_many_requests_at_once_on_a_connection(server: Server) -> None:
    one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    assert (await server.ask(one * 4)).count(b"HTTP/1.1 200") == 4
    # Those beyond are not heard; the connection ends in good order.
    answers = await server.ask(one * 3000)
    assert 4 <= answers.count(b"HTTP/1.1 200") <= 8
    assert answers.endswith(b'{"status":"alive"}')


HOT = "GET /v1/nearest?lon=1&lat=1{} HTTP/1.1\r\nHost: x\r\n{}\r\n"


def parted(answer: bytes) -> tuple[list[bytes], bytes]:
    """The lines of an answer's head, and its body; without what differs each time."""
    head, _, body = answer.partition(b"\r\n\r\n")
    kinds = (b"date:", b"content-length:")
    return sorted(one for one in head.split(b"\r\n") if not one.startswith(kinds)), body


async def test_answers_at_once_look_like_those_of_the_application(server: Server) -> None:
    for ending in ("Connection: close\r\n", "Content-Length: 0\r\nConnection: close\r\n"):
        quick = await server.ask(HOT.format("", ending).encode())
        usual = await server.ask(HOT.format("&source=database", ending).encode())
        assert parted(quick)[0] == parted(usual)[0]
        head, body = parted(quick)
        assert b"HTTP/1.1 200 OK" in head
        assert b"connection: close" in head
        assert json.loads(body).keys() == json.loads(parted(usual)[1]).keys()
        assert f"content-length: {len(body)}".encode() in quick


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
async def test_other_methods_go_to_the_application(server: Server, method: str) -> None:
    ask = HOT.format("", "Connection: close\r\n").replace("GET", method).encode()
    head, body = parted(await server.ask(ask))
    assert {"HEAD": 200, "POST": 405, "OPTIONS": 204}[method] == int(
        next(line for line in head if line.startswith(b"HTTP/")).split()[1]
    )
    assert bool(body) == (method == "POST")


async def test_an_old_client_gets_one_answer_at_once(server: Server) -> None:
    answer = await server.ask(HOT.format("", "").replace("1.1", "1.0").encode() * 2)
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"connection: close" in answer


async def test_many_questions_at_once_hold_nobody_up(server: Server) -> None:
    """Those beyond the bound are not answered, hot route or not."""
    one = HOT.format("", "").encode()
    assert (await server.ask(one * 4 + one.replace(b"x\r\n", b"x\r\nConnection: close\r\n"))).count(
        b"HTTP/1.1 200"
    ) == 5
    answers = await server.ask(one * 3000)
    # Four of each piece that comes at once, as many that wait, and the last of them.
    assert 4 <= answers.count(b"HTTP/1.1 200") < 100


async def test_who_takes_no_bytes_is_let_go(server: Server) -> None:
    """Answers that nobody reads do not keep a connection for ever."""
    reader, writer = await server.opened()
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 16)
    process = psutil.Process(server.process.pid)

    def is_gone() -> bool:
        port = sock.getsockname()[1]
        return all(each.raddr.port != port for each in process.net_connections() if each.raddr)

    await until(is_gone)
    writer.close()


async def test_it_stops_at_once_whoever_is_connected(own_server: Server) -> None:
    idle = await own_server.opened()
    half = await own_server.opened()
    half[1].write(b"GET /healthz HTTP/1.1\r\n")
    body = await own_server.opened()
    body[1].write(b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    await own_server.ask(b"NONSENSE\r\n\r\n")
    own_server.process.terminate()
    async with asyncio.timeout(10):
        assert await own_server.process.wait() == 0
    for _, writer in (idle, half, body):
        writer.close()


async def test_a_stop_says_so_to_whoever_is_under_way(own_server: Server) -> None:
    reader, writer = await own_server.opened()
    writer.write(POST + b"Content-Length: 9\r\n\r\n{")
    assert await own_server.is_answering()
    own_server.process.terminate()
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert status(answer) == 503
    assert b"retry-after: 1" in answer.lower()


async def test_a_port_that_is_taken_is_told(database_url: str, server: Server) -> None:
    environment = {**os.environ, **api_environment(database_url), "API_PORT": str(server.port)}
    second = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "parking_api", "serve"),
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        _, told = await second.communicate()
    assert second.returncode == 3
    assert str(server.port).encode() in told
