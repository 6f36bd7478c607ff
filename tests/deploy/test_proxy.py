"""The reverse proxy: its own file, run by the distribution's nginx before a real API."""

import asyncio
import json
import shutil
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.accounts import program
from deploy.checks import wait_until
from deploy.ports import any_free
from tests.parking_api.processes import Api, serving

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy/nginx"
NEAREST = "/v1/nearest?lon=120.3876&lat=36.0654"


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
class Proxy:
    """A running nginx, and the API behind it."""

    port: int
    api: Api
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


@pytest.fixture
def proxy(database_url: str, tmp_path: Path) -> Iterator[Proxy]:
    own, port, log = tmp_path / "nginx", any_free(), tmp_path / "log"
    shutil.copytree(CONFIGURATION, own)
    make_certificate(own)
    (own / "listen.conf").write_text(
        f"listen 127.0.0.1:{port} ssl http2;\n"
        "ssl_certificate certificate.pem;\nssl_certificate_key key.pem;\n"
    )
    trusted = {"API_PROXIES": "127.0.0.0/8", "API_EXEMPT": ""}
    # Below what nginx itself lets through, to tell the two apart.
    with serving(database_url, API_CLIENT_LIMITS="60/day", **trusted) as api:
        upstream = (own / "upstream.conf").read_text()
        (own / "upstream.conf").write_text(
            upstream.replace("server api:8000;", f"server 127.0.0.1:{api.port};")
        )
        tmp_path.chmod(0o755)
        # Its own users' directories lie below those of pytest, which others may not enter.
        command = [program("nginx"), "-p", f"{tmp_path}/", "-c", str(own / "nginx.conf")]
        command += ["-g", "user root;"]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            tls = ssl.create_default_context(cafile=str(own / "certificate.pem"))
            running = Proxy(port, api, tls, log)
            wait_until(lambda: is_up(running, process), "nginx", 20.0)
            yield running
        finally:
            process.terminate()
            process.wait(10)


def is_up(proxy: Proxy, process: "subprocess.Popen[bytes]") -> bool:
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


def test_a_client_cannot_say_that_it_is_another(proxy: Proxy) -> None:
    statuses: Counter[int] = Counter()
    with proxy.client() as client:
        for number in range(70):
            told = {"X-Forwarded-For": f"198.51.100.{number}"}
            answer = client.get(NEAREST, headers=told)
            statuses[answer.status_code] += 1
    # Its start was waited for by some requests.
    assert 40 < statuses[200] <= 60
    assert statuses[200] + statuses[429] == 70
    assert int(answer.headers["retry-after"]) > 1


def test_a_flood_of_requests_is_refused_by_the_proxy(proxy: Proxy) -> None:
    with proxy.client() as client:
        found = [client.get("/none") for _ in range(100)]
    assert found[-1].json()["type"] == "urn:onelot:problem:too-many-requests"

    async def flood() -> Counter[bytes]:
        request = b"GET /none HTTP/1.1\r\nHost: a\r\n"
        sent = (request + b"\r\n") * 499 + request + b"Connection: close\r\n\r\n"
        answers = await asyncio.gather(*(proxy.ask(sent) for _ in range(4)))
        return Counter({b"by the proxy": sum(each.count(b"Retry-After: 1\r") for each in answers)})

    # The API says how long its day lasts; the proxy, a second.
    assert asyncio.run(flood())[b"by the proxy"] > 100


async def test_connections_of_one_client_are_bounded(proxy: Proxy) -> None:
    held = [await proxy.opened() for _ in range(101)]
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


def test_without_the_api_it_says_so(proxy: Proxy) -> None:
    proxy.api.process.terminate()
    proxy.api.process.wait(20)
    with proxy.client() as client:
        answer = client.get(NEAREST)
    assert (answer.status_code, answer.json()["status"]) == (503, 503)
    assert answer.headers["retry-after"] == "1"
    # Where somebody looks for a space is in no log.
    assert "120.3876" not in proxy.log.read_text()
