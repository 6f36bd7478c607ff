"""The API's workers, as processes: how they are replaced, started again and ended."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from unittest.mock import AsyncMock, Mock

import httpx
import psutil
import pytest
from starlette.datastructures import State
from starlette.types import Message, Receive, Scope, Send

from deploy.checks import wait_until
from deploy.ports import listens
from parking_api.serving import LoadFirst
from tests.parking_api.builders import Builder
from tests.parking_api.bureau import person
from tests.parking_api.city.messages import ingester, state
from tests.parking_api.processes import WITHIN_S, Api, serving
from tests.servers import Broker


@pytest.fixture
def api_process(database_url: str, built: Builder) -> Iterator[Api]:
    del built
    with serving(database_url) as api:
        yield api


def asked_in_a_loop(ask: Callable[[], httpx.Response], is_over: threading.Event) -> list[str]:
    """Ask until it is over; what was answered otherwise than well."""
    bad = []
    while not is_over.is_set():
        try:
            answer = ask()
        except httpx.HTTPError as error:
            bad.append(repr(error))
        else:
            if answer.status_code != 200:
                bad.append(answer.text)
    return bad


def test_no_request_fails_while_workers_are_replaced(api_process: Api) -> None:
    is_over = threading.Event()
    found: dict[str, list[str]] = {}
    url = f"{api_process.url}/v1/city"
    client = httpx.Client(timeout=30)

    def watch(name: str, ask: Callable[[], httpx.Response]) -> threading.Thread:
        thread = threading.Thread(
            target=lambda: found.update({name: asked_in_a_loop(ask, is_over)})
        )
        thread.start()
        return thread

    with client:
        threads = [
            watch("over new connections", lambda: httpx.get(url, timeout=30)),
            watch("over one connection", lambda: client.get(url)),
        ]
        try:
            for _ in range(3):
                api_process.reload()
        finally:
            is_over.set()
            for thread in threads:
                thread.join()

    assert found == {"over new connections": [], "over one connection": []}


def test_a_reload_during_a_reload_is_made_too(api_process: Api) -> None:
    before = api_process.workers()
    os.kill(api_process.process.pid, signal.SIGHUP)
    wait_until(lambda: len(api_process.workers()) > len(before), "the first begins", WITHIN_S)
    api_process.reload()
    assert not set(before) & set(api_process.workers())


def test_who_is_connected_is_answered_by_the_old_worker(api_process: Api) -> None:
    """One with half a request, and one between two; each is told that it was the last answer."""
    (old,) = api_process.workers()
    at = ("127.0.0.1", api_process.port)
    half, kept = HTTPConnection(*at, timeout=30), HTTPConnection(*at, timeout=30)
    with closing(half), closing(kept):
        half.connect()
        half.sock.sendall(b"GET /healthz HTTP/1.1\r\n")
        kept.request("GET", "/healthz")
        assert kept.getresponse().read()
        api_process.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not listens(old, api_process.port), "the end of the old one", WITHIN_S)

        half.sock.sendall(b"Host: x\r\n\r\n")
        answers = [HTTPResponse(half.sock)]
        answers[0].begin()
        kept.request("GET", "/healthz")
        answers.append(kept.getresponse())

    assert [answer.status for answer in answers] == [200, 200]
    assert [answer.getheader("connection") for answer in answers] == ["close", "close"]


def test_a_token_outlives_the_worker_that_made_it(api_process: Api, database_url: str) -> None:
    key = asyncio.run(person(database_url, "p", "operations"))
    made = httpx.post(f"{api_process.url}/v1/tokens", headers=key, json={})
    token = {"Authorization": f"Bearer {made.json()['token']}"}

    api_process.reload()

    assert httpx.get(f"{api_process.url}/v1/people/me", headers=token).status_code == 200


def test_a_worker_that_dies_is_started_again(api_process: Api) -> None:
    (worker,) = api_process.workers()

    os.kill(worker, signal.SIGKILL)

    answer = httpx.get(f"{api_process.url}/healthz", timeout=30)
    assert answer.status_code == 200
    assert api_process.workers().isdisjoint({worker})


def test_workers_end_with_their_parent(api_process: Api) -> None:
    workers = [psutil.Process(pid) for pid in api_process.workers()]

    api_process.process.kill()

    assert not psutil.wait_procs(workers, WITHIN_S)[1]


def test_several_workers_share_the_port(database_url: str, built: Builder) -> None:
    del built
    with serving(database_url, API_WORKERS="2") as api:
        wait_until(lambda: len(api.workers()) == 2, "two workers", WITHIN_S)
        api.reload()
        assert len(api.workers()) == 2
        for _ in range(40):
            answer = httpx.get(f"{api.url}/v1/nearest?lon=1&lat=1", timeout=30)
            assert answer.status_code == 200
        told = 'requests_total{method="GET",route="/v1/nearest",status="200"} 40.0'

        def figures() -> str:
            return httpx.get(f"{api.url}/metrics", timeout=30).text

        # Each of them adds to the figures once a second.
        wait_until(lambda: f"onelot_api_{told}" in figures(), "the figures of both", WITHIN_S)
        # Whichever of them is asked.
        for _ in range(10):
            shown = figures()
            assert f"onelot_api_{told}" in shown
            assert "onelot_api_database_up 1.0" in shown
            assert "pid=" not in shown


async def test_each_worker_follows_the_broker_under_its_own_name(
    database_url: str, built: Builder, broker: Broker
) -> None:
    await built.lot("a")
    await built.report("a", 3)

    def free() -> int:
        answer = httpx.get(f"{api.url}/v1/lots/a", timeout=30)
        # A worker that has just started has no city yet.
        return int(answer.json()["free_spaces"]) if answer.status_code == 200 else -1

    with serving(database_url, API_WORKERS="3", API_MQTT_URL=broker.platform_api) as api:
        wait_until(lambda: len(api.workers()) == 3, "three workers", WITHIN_S)
        # Which worker answers is the system's choice: a new connection each time meets them all.
        for number in (7, 8):
            payload = state("a", built.version + number, number, built)
            async with ingester(broker) as sender:
                await sender.publish("onelot/v1/state/a", payload, qos=1, retain=True)
            seen = [0]
            while seen[-50:] != [number] * 50:
                assert len(seen) < 2000
                seen.append(free())


# Workers that serve nothing; those that replace them end at once.
FRUITLESS = """
import signal, sys
from parking_api.workers import Workers
def work(start):
    if start.replaces or sys.argv[1:]:
        sys.exit(5)
    start.ready()
    signal.pause()
sys.exit(Workers(1, work).run())
"""


def test_who_cannot_take_over_replaces_nobody() -> None:
    command = [sys.executable, "-u", "-c", FRUITLESS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ready = process.stdout.readline()
            (worker,) = psutil.Process(process.pid).children()
            process.send_signal(signal.SIGHUP)
            ended = process.stdout.readline()
            assert worker.is_running()
        finally:
            process.terminate()
            process.wait(10)

    assert "worker ready" in ready
    assert "worker has ended" in ended
    assert "status=5" in ended
    assert process.returncode == 0


def test_what_never_begins_ends_with_its_status() -> None:
    command = [sys.executable, "-c", FRUITLESS, "fail"]
    assert subprocess.run(command, check=False, timeout=30).returncode == 5


async def test_a_worker_without_a_city_does_not_take_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parking_api.serving.LOADED_WITHIN_S", 0.01)
    told: list[Message] = []
    resources = Mock()
    # Nobody reads the city here.
    resources.until_loaded = asyncio.Event().wait

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.complete"})

    async def send(message: Message) -> None:
        told.append(message)

    whole = LoadFirst(app, State({"resources": resources}))
    await whole({"type": "lifespan"}, AsyncMock(), send)

    assert [message["type"] for message in told] == ["lifespan.startup.failed"]


# One of two workers becomes ready at the moment at which it is told to end.
LATE = """
import os, signal, sys, time
from parking_api.workers import Workers
def work(start):
    if start.place:
        signal.signal(signal.SIGTERM, lambda *_: (start.ready(), time.sleep(0.3), sys.exit(0)))
    # In one piece: both write to the same pipe.
    os.write(1, b"begun\\n")
    if not start.place:
        start.ready()
    signal.pause()
sys.exit(Workers(2, work).run())
"""


def test_who_is_ready_only_when_told_to_end_ends_as_others_do() -> None:
    command = [sys.executable, "-u", "-c", LATE]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            said = [process.stdout.readline() for _ in range(3)]
            process.terminate()
            _, errors = process.communicate(timeout=10)
        finally:
            process.kill()

    assert sum("begun" in line for line in said) == 2
    assert (process.returncode, errors) == (0, "")
