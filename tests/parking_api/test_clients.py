"""What one client may ask: told apart by address, counted over all processes, others left alone."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_network
from mmap import mmap
from multiprocessing import get_context

import httpx
import pytest
from limits import parse, parse_many

from parking_api.clients import Clients, SharedCounts, TooManyRequestsError, client_of
from parking_api.settings import ApiSettings
from tests.parking_api.people.keys import keyed
from tests.parking_api.processes import Api, serving
from tests.parking_api.serving import serving as served

PROXIES = (ip_network("127.0.0.0/8"), ip_network("2001:db8:1::/48"))
NEAREST = "/v1/nearest?lon=120.38&lat=36.06"


@pytest.mark.parametrize(
    ("peer", "told", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        # Nobody is believed who is not named.
        ("192.0.2.1", [b"198.51.100.7"], "192.0.2.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", [b"198.51.100.7"], "198.51.100.7"),
        # What a client says itself stands before what our proxies add.
        ("127.0.0.1", [b"10.0.0.1, 198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", [b"10.0.0.1", b"198.51.100.7,127.0.0.5"], "198.51.100.7"),
        ("127.0.0.1", [b"127.0.0.9"], "127.0.0.9"),
        ("2001:db8:1::5", [b"2001:db8:2::7"], "2001:db8:2::7"),
        ("::ffff:127.0.0.1", [b"::ffff:198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", [b"unknown"], "127.0.0.1"),
        ("127.0.0.1", [b"198.51.100.7, \xff"], "127.0.0.1"),
        ("", [b"198.51.100.7"], ""),
    ],
)
def test_where_a_request_comes_from(peer: str, told: list[bytes], address: str) -> None:
    assert Clients(PROXIES).address(peer, told) == address


def test_a_household_is_one_client() -> None:
    assert client_of("2001:db8::1") == client_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert client_of("2001:db8:0:1::1") != client_of("2001:db8::1")
    assert client_of("192.0.2.1") == client_of("::ffff:192.0.2.1") != client_of("192.0.2.2")


def allowed(clients: Clients, address: str, times: int) -> int:
    """How many of some requests are let through."""
    waits = []
    for _ in range(times):
        try:
            clients.check(address)
        except TooManyRequestsError as refused:
            waits.append(int(refused.headers["Retry-After"]))
    assert all(1 <= wait <= 30 * 86400 for wait in waits)
    return times - len(waits)


def test_each_client_has_its_own_limit_and_some_have_none() -> None:
    clients = Clients((), (ip_network("203.0.113.0/24"),), parse_many("5/month; 3/day"))
    assert allowed(clients, "192.0.2.1", 10) == 3
    assert allowed(clients, "192.0.2.2", 10) == 3
    assert allowed(clients, "2001:db8::1", 2) + allowed(clients, "2001:db8::2", 2) == 3
    assert allowed(clients, "203.0.113.9", 100) == 100


def test_a_window_ends() -> None:
    counts = SharedCounts(mmap(-1, 4096))
    assert [counts.incr("a", 3600) for _ in range(3)] == [1, 2, 3]
    now = counts.get_expiry("a") - 3600
    assert counts.get("a") == 3
    counts.clear("a")
    assert (counts.get("a"), counts.incr("a", 3600)) == (0, 1)
    assert now % 3600 == 0


def test_many_clients_push_out_those_that_asked_least() -> None:
    counts = SharedCounts(mmap(-1, 4096))
    loud = [f"loud-{number}" for number in range(20)]
    for each in loud * 50:
        counts.incr(each, 3600)
    for number in range(5_000):
        counts.incr(f"once-{number}", 3600)
    assert [counts.get(each) for each in loud] == [50] * 20


def _ask(memory: mmap, times: int) -> int:
    return allowed(Clients(limits=[parse("100/hour")], memory=memory), "192.0.2.1", times)


def test_processes_count_together() -> None:
    memory = mmap(-1, 4096)
    fork = get_context("fork")
    results = fork.SimpleQueue()
    processes = [fork.Process(target=lambda: results.put(_ask(memory, 80))) for _ in range(2)]
    for process in processes:
        process.start()
        process.join(30)
    assert [results.get(), results.get()] == [80, 20]


@pytest.mark.parametrize("wrong", ["many", "5/fortnight", "5"])
def test_a_wrong_limit_is_told(wrong: str) -> None:
    with pytest.raises(ValueError, match="client_limits"):
        ApiSettings(client_limits=wrong)


@pytest.fixture
def limited(database_url: str) -> Iterator[Api]:
    """Two processes behind a proxy at loopback, whose clients may ask ten times a day."""
    given = {"API_CLIENT_LIMITS": "10/day", "API_EXEMPT": "203.0.113.0/24", "API_WORKERS": "2"}
    with serving(database_url, API_PROXIES="127.0.0.0/8", **given) as api:
        yield api


def asked(api: Api, path: str, client: str, times: int = 1) -> Counter[int]:
    """Ask on connections of their own, so that both processes hear some."""
    statuses: Counter[int] = Counter()
    for _ in range(times):
        answer = httpx.get(f"{api.url}{path}", headers={"X-Forwarded-For": client})
        statuses[answer.status_code] += 1
        if answer.status_code == 429:
            assert answer.json()["type"] == "urn:onelot:problem:too-many-requests"
            assert 1 <= int(answer.headers["Retry-After"]) <= 86400
            assert answer.headers["access-control-allow-origin"] == "*"
    return statuses


def test_hot_and_other_routes_count_together_over_all_processes(limited: Api) -> None:
    assert asked(limited, NEAREST, "192.0.2.1", 6) == {200: 6}
    assert asked(limited, "/v1/city", "192.0.2.1", 6) == {200: 4, 429: 2}
    assert asked(limited, NEAREST, "192.0.2.1", 6) == {429: 6}
    # The header of a client itself changes nothing, and nobody else is held up.
    assert asked(limited, NEAREST, "198.51.100.1, 192.0.2.1") == {429: 1}
    assert asked(limited, NEAREST, "192.0.2.2", 10) == {200: 10}
    assert asked(limited, NEAREST, "203.0.113.7", 30) == {200: 30}
    # Every path that there is not counts too.
    assert asked(limited, "/none", "192.0.2.3", 12) == {404: 10, 429: 2}


def test_without_a_proxy_the_header_is_not_looked_at(database_url: str) -> None:
    with serving(database_url, API_CLIENT_LIMITS="10/day", API_EXEMPT="") as api:
        total: Counter[int] = Counter()
        for number in range(15):
            total += asked(api, NEAREST, f"192.0.2.{number}")
        # Its start was waited for by a request or more.
        assert total[200] < 10
        assert total[429] > 5


async def test_connections_and_streams_of_one_client_are_bounded(database_url: str) -> None:
    bounds = {"API_CLIENT_CONNECTIONS": "5", "API_CLIENT_READERS": "2", "API_EXEMPT": ""}
    with serving(database_url, API_CLIENT_LIMITS="", **bounds) as api:
        stream = b"GET /v1/stream?bbox=120,36,121,37 HTTP/1.1\r\nHost: a\r\n\r\n"
        held = [await asyncio.open_connection("127.0.0.1", api.port) for _ in range(5)]
        told = []
        for reader, writer in held[:3]:
            writer.write(stream)
            told.append(await reader.readline())
        assert [line.split()[1] for line in told] == [b"200", b"200", b"429"]

        reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
        refused = await reader.read()
        assert refused.startswith(b"HTTP/1.1 429 ")
        assert b"too-many-requests" in refused

        for _, writer in held:
            writer.close()
        # Their places are free again.
        async with asyncio.timeout(20):
            while True:
                reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                answer = await reader.read()
                writer.close()
                if answer.startswith(b"HTTP/1.1 200 "):
                    break


async def test_wrong_keys_slow_down_and_are_then_refused(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = await keyed(database_url, "wang", "bureau_drafter")
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("parking_api.clients.sleep", sleep)
    async with served(database_url, has_database=False, proxies="127.0.0.0/8", exempt="") as api:

        async def asked(key: str, client: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": client}
            return await api.get("/v1/people/me", headers=headers)

        good = right["Authorization"].removeprefix("Bearer ")
        wrong = "ok_0123456789ab_" + "A" * 43
        assert (await asked(good, "192.0.2.1")).status_code == 200
        found = [await asked(wrong, "192.0.2.1") for _ in range(13)]
        assert [each.status_code for each in found] == [401] * 10 + [429] * 3
        assert found[-1].json()["type"] == "urn:onelot:problem:too-many-wrong-keys"
        assert 1 <= int(found[-1].headers["retry-after"]) <= 60
        assert waits == sorted(waits)
        assert len(waits) == 7
        # What was right before is looked at; others are not held up; tokens are not counted.
        assert (await asked(good, "192.0.2.1")).status_code == 200
        assert (await asked(wrong, "192.0.2.2")).status_code == 401
        assert (await asked("ot_a.b", "192.0.2.1")).status_code == 401
        # A right key that was never seen from anywhere is refused like the others.
        other = (await keyed(database_url, "zhang", "bureau_drafter"))["Authorization"]
        assert (await asked(other.removeprefix("Bearer "), "192.0.2.1")).status_code == 429
        assert (await asked(other.removeprefix("Bearer "), "192.0.2.3")).status_code == 200
