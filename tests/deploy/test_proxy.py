"""The reverse proxy: its own file, run by the distribution's nginx before a real API."""

import asyncio
import json
import re
import shutil
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy import postgres
from deploy.accounts import program
from deploy.checks import wait_until
from deploy.ports import any_free
from parking_api.app import create_app
from parking_api.settings import ApiSettings
from tests.parking_api.processes import Api, serving
from tests.servers import Databases, as_role

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy/nginx"
NEAREST = "/v1/nearest?lon=120.3876&lat=36.0654"
# Answered from the memory that follows the gateways, which is that of the part for anyone.
FROM_MEMORY = (
    *("/v1/nearest", "/v1/spaces/nearest", "/v1/lots", "/v1/map", "/v1/districts", "/v1/stream"),
    *("/v1/city", "/v1/places"),
)


def make_certificate(directory: Path) -> None:
    """Write a key and a certificate of its own for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (directory / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (directory / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@dataclass(frozen=True)
class Front:
    """A running nginx."""

    port: int
    tls: ssl.SSLContext
    log: Path

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=self.tls, trust_env=False, timeout=30)

    async def opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls)

    async def ask(self, sent: bytes) -> bytes:
        """Send some bytes; return all that comes until the connection ends."""
        reader, writer = await self.opened()
        writer.write(sent)
        found = b""
        with suppress(ConnectionError, ssl.SSLError):
            async with asyncio.timeout(60):
                while piece := await reader.read(65_536):
                    found += piece
        writer.close()
        return found


@dataclass(frozen=True)
class Proxy(Front):
    """A running nginx, and the API's public part behind it."""

    api: Api


@contextmanager
def running(tmp_path: Path, api: int, office: int) -> Iterator[Front]:
    """Run nginx before the two parts of the API, at these ports."""
    own, port, log = tmp_path / "nginx", any_free(), tmp_path / "log"
    shutil.copytree(CONFIGURATION, own)
    make_certificate(own)
    (own / "listen.conf").write_text(
        f"listen 127.0.0.1:{port} ssl http2;\n"
        "ssl_certificate certificate.pem;\nssl_certificate_key key.pem;\n"
    )
    upstream = (own / "upstream.conf").read_text()
    for named, there in (("api:8000", api), ("office:8001", office)):
        assert f"server {named};" in upstream
        upstream = upstream.replace(f"server {named};", f"server 127.0.0.1:{there};")
    (own / "upstream.conf").write_text(upstream)
    tmp_path.chmod(0o755)
    # Its own users' directories lie below those of pytest, which others may not enter.
    command = [program("nginx"), "-p", f"{tmp_path}/", "-c", str(own / "nginx.conf")]
    command += ["-g", "user root;"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        front = Front(port, ssl.create_default_context(cafile=str(own / "certificate.pem")), log)
        wait_until(lambda: is_up(front, process), "nginx", 20.0)
        yield front
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def proxied(database_url: str, tmp_path: Path, limits: str) -> Iterator[Proxy]:
    """Run both parts of the API, of which the public one has these limits, and nginx."""
    trusted = {"API_PROXIES": "127.0.0.0/8", "API_EXEMPT": ""}
    by_office = as_role(database_url, postgres.OFFICE)
    with (
        serving(database_url, API_PART="public", API_CLIENT_LIMITS=limits, **trusted) as api,
        serving(database_url, DATABASE_URL=by_office, API_PART="office", **trusted) as office,
        running(tmp_path, api.port, office.port) as front,
    ):
        yield Proxy(front.port, front.tls, front.log, api)


@pytest.fixture(scope="module")
async def proxy(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Proxy]:
    """One for all tests that leave it as it was."""
    url = await databases.create()
    with proxied(url, tmp_path_factory.mktemp("proxy"), "") as made:
        yield made
    await databases.drop(url)


@pytest.fixture
def own_proxy(database_url: str, tmp_path: Path) -> Iterator[Proxy]:
    """The test's own; its API bounds below what nginx lets through, to tell the two apart."""
    with proxied(database_url, tmp_path, "60/day") as made:
        yield made


def is_up(proxy: Front, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, proxy.log.read_text()
    try:
        with proxy.client() as client:
            return client.get("/metrics").status_code == 404
    except httpx.TransportError:
        return False


def test_answers_come_through_over_tls(proxy: Proxy) -> None:
    with proxy.client() as client:
        answer = client.get(NEAREST)
        assert (answer.status_code, answer.json()["lots"]) == (200, [])
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers or answer.headers["server"] == "nginx"
        # The API's own refusals come as they are, and metrics are for the operations network.
        assert client.get("/v1/nearest").json()["errors"]
        assert client.get("/metrics").headers["content-type"] == "application/problem+json"
    old = [program("openssl"), "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-tls1_1"]
    old += ["-cipher", "ALL:@SECLEVEL=0"]
    done = subprocess.run(old, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode != 0


def test_a_client_cannot_say_that_it_is_another(own_proxy: Proxy) -> None:
    statuses: Counter[int] = Counter()
    with own_proxy.client() as client:
        for number in range(70):
            told = {"X-Forwarded-For": f"198.51.100.{number}"}
            answer = client.get(NEAREST, headers=told)
            statuses[answer.status_code] += 1
    # Its start was waited for by some requests.
    assert 40 < statuses[200] <= 60
    assert statuses[200] + statuses[429] == 70
    assert int(answer.headers["retry-after"]) > 1


def test_a_flood_of_requests_is_refused_by_the_proxy(own_proxy: Proxy) -> None:
    with own_proxy.client() as client:
        found = [client.get("/none") for _ in range(100)]
    assert found[-1].json()["type"] == "urn:onelot:problem:too-many-requests"

    async def flood() -> Counter[bytes]:
        request = b"GET /none HTTP/1.1\r\nHost: a\r\n"
        sent = (request + b"\r\n") * 499 + request + b"Connection: close\r\n\r\n"
        answers = await asyncio.gather(*(own_proxy.ask(sent) for _ in range(4)))
        return Counter({b"by the proxy": sum(each.count(b"Retry-After: 1\r") for each in answers)})

    # The API says how long its day lasts; the proxy, a second.
    assert asyncio.run(flood())[b"by the proxy"] > 100


async def test_connections_of_one_client_are_bounded(own_proxy: Proxy) -> None:
    held = [await own_proxy.opened() for _ in range(101)]
    # nginx counts a connection once it has a request's head.
    stream = b"GET /v1/stream?bbox=120,36,121,37 HTTP/1.1\r\nHost: a\r\n\r\n"
    for _, writer in held[:50]:
        writer.write(stream)
    lines = [await reader.readline() for reader, _ in held[:50]]
    assert {line.split()[1] for line in lines} == {b"200"}
    more = b"POST /v1/quotes HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"
    for _, writer in held[50:]:
        writer.write(more)
    first = [asyncio.create_task(reader.readline()) for reader, _ in held[50:]]
    done, waiting = await asyncio.wait(first, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result()[:12] for task in done] == [b"HTTP/1.1 429"]
    for task in waiting:
        task.cancel()
    for _, writer in held:
        writer.close()


@contextmanager
def recorder(heard: list[tuple[str, str | None]]) -> Iterator[int]:
    """A server that answers all with 200 and keeps what it was asked, and who was said to ask."""

    class Recorder(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            heard.append((f"{self.command} {self.path}", self.headers["Authorization"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_the_part_for_anyone_is_never_shown_a_key(tmp_path: Path) -> None:
    """Each operation, asked with a key, with a gateway's password, and with nothing."""
    document = create_app(ApiSettings(), "postgresql://nowhere").openapi()
    key, password = "bearer ok_1_secret", "Basic Z3c6c2VjcmV0"
    api: list[tuple[str, str | None]] = []
    office: list[tuple[str, str | None]] = []
    with (
        recorder(api) as api_port,
        recorder(office) as office_port,
        running(tmp_path, api_port, office_port) as front,
        front.client() as client,
    ):
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                concrete = re.sub(r"\{\w+\}", "some-1", path)
                if concrete == "/metrics":
                    continue
                for_people = {"keyOrToken": []} in operation.get("security", ())
                shown: dict[str | None, list[tuple[str, str | None]]] = {}
                for authorization in (key, password, None):
                    api.clear()
                    office.clear()
                    headers = {"Authorization": authorization} if authorization else {}
                    asked = f"{method.upper()} {concrete}"
                    while client.request(method, concrete, headers=headers).status_code == 429:
                        time.sleep(0.1)
                    assert len(api) + len(office) == 1, asked
                    assert {said for said, _ in (*api, *office)} == {asked}
                    if authorization == key:
                        if for_people:
                            assert office == [(asked, key)], asked
                        assert key not in {header for _, header in api}, asked
                    elif concrete.startswith("/v1/enrolments"):
                        # A one-time code is in the body.
                        assert office, asked
                    else:
                        expected = None if concrete == "/v1/stream" else authorization
                        assert api == [(asked, expected)], asked
                    shown[authorization] = [*api]
                if not for_people and method == "get" and concrete.startswith(FROM_MEMORY):
                    assert shown[key], concrete


def test_keys_work_at_the_same_address(proxy: Proxy) -> None:
    with proxy.client() as client:
        assert client.get("/v1/people").status_code == 401
        wrong = client.get("/v1/people", headers={"Authorization": "Bearer ok_abcdefgh_wrong"})
        assert wrong.status_code == 401
        assert "invalid_token" in wrong.headers["www-authenticate"]


async def test_heads_and_bodies_are_bounded(proxy: Proxy) -> None:
    large = b"GET / HTTP/1.1\r\nHost: a\r\nX-Large: " + b"x" * 40_000 + b"\r\n\r\n"
    long = b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    body = b"POST /v1/quotes HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n"
    smuggled = (
        b"POST /v1/quotes HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    for sent, status in ((large, 400), (long, 414), (body, 413), (smuggled, 400)):
        head, _, problem = (await proxy.ask(sent)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status), head
        assert b"Content-Type: application/problem+json" in head
        assert json.loads(problem)["status"] == status
    started = time.monotonic()
    assert b"HTTP/1.1 200" not in await proxy.ask(b"GET / HTTP/1.1\r\nHost:")
    assert time.monotonic() - started < 30


async def test_events_come_through_at_once(proxy: Proxy) -> None:
    reader, writer = await proxy.opened()
    writer.write(b"GET /v1/stream?bbox=120,36,121,37 HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(10):
        while b"event: lots" not in (line := await reader.readline()):
            assert line, "the stream ended"
    writer.close()


def test_without_the_api_it_says_so(own_proxy: Proxy) -> None:
    own_proxy.api.process.terminate()
    own_proxy.api.process.wait(20)
    with own_proxy.client() as client:
        answer = client.get(NEAREST)
    assert (answer.status_code, answer.json()["status"]) == (503, 503)
    assert answer.headers["retry-after"] == "1"
    # Where somebody looks for a space is in no log.
    assert "120.3876" not in own_proxy.log.read_text()
