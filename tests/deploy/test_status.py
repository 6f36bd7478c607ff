"""The status line."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import msgspec
import pytest

from deploy.directory import Directory
from deploy.display import Display
from deploy.startup import Startup
from deploy.status import (
    City,
    Reading,
    headed,
    line,
    parse_counter,
    rate,
    read_lack,
    read_simulated,
)

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
READING = Reading(NOW, 100.0)
SIMULATED = datetime.fromisoformat("2026-11-24T07:05:00+08:00")


def test_line_tells_rate_age_free_spaces_and_lots() -> None:
    city = City(1670, 123456, 1600, 50, 20, NOW - timedelta(seconds=1.25))
    assert line(city, READING, 512.4, SIMULATED, NOW) == (
        "512 obs/s | newest commit 1.2 s ago | 123,456 spaces free"
        " | lots: 1,600 live, 50 stale, 20 unknown | simulated Tue 07:05"
    )


class Readyz(BaseHTTPRequestHandler):
    """Answers each request with the next of `answers`, the last for ever."""

    answers: ClassVar[list[dict[str, Any]]] = []

    def do_GET(self) -> None:
        answer = self.answers[0]
        # `/v1/city` is no part of the test.
        if self.path == "/readyz" and len(self.answers) > 1:
            self.answers.pop(0)
        self.send_response(503 if "missing" in answer else 200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def readyz(*answers: dict[str, Any]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Readyz) as server:
        Readyz.answers = list(answers)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


STOPPED = {"missing": ["ingester"], "detail": "The ingester takes no messages: a fault of ours."}
AWAITED = {"missing": ["city"], "detail": "3 of 5 lots have not been heard from yet."}
READY = {"status": "ready", "lots": 5}


def test_the_line_begins_with_what_is_missing() -> None:
    with readyz(STOPPED, READY) as http:
        lack, none = read_lack(http), read_lack(http)
    assert headed(lack, "restarts: api 1", "512 obs/s") == (
        "not ready: The ingester takes no messages: a fault of ours. | restarts: api 1 | 512 obs/s"
    )
    assert none is None
    assert headed(none, "", "512 obs/s") == "512 obs/s"
    assert read_lack("http://127.0.0.1:1") is None


def test_the_start_says_once_why_the_city_is_not_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    both = {"missing": ["broker", "city"], "detail": "No connection to the broker."}
    with readyz(AWAITED, STOPPED, STOPPED, both, AWAITED, READY) as http:
        startup = Startup(Directory(tmp_path), Display(is_terminal=False))
        monkeypatch.setattr(startup, "_place", lambda: SimpleNamespace(http_url=http))
        startup._await_city(lambda _done, _total: None)
    assert capsys.readouterr().out.splitlines() == [
        "not ready: The ingester takes no messages: a fault of ours.",
        "not ready: No connection to the broker.",
    ]


def test_line_says_what_does_not_answer() -> None:
    silent = "the ingester does not answer | the API does not answer | no simulator"
    assert line(None, None, None, None, NOW) == silent
    some = "- obs/s | the API does not answer | simulated Tue 07:05"
    assert line(None, READING, None, SIMULATED, NOW) == some
    assert "newest commit none" in line(City(1, 0, 0, 0, 1, None), READING, 0.0, None, NOW)


def test_the_simulated_time_is_told_while_the_simulator_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "simulator.json"
    assert read_simulated(file, NOW) is None
    file.write_text(
        json.dumps({"written_at": NOW.isoformat(), "simulated_at": SIMULATED.isoformat()})
    )
    assert read_simulated(file, NOW + timedelta(seconds=2)) == SIMULATED
    assert read_simulated(file, NOW + timedelta(minutes=1)) is None, "an earlier simulator's"
    for broken in ("", "[]", '{"written_at": 3}', '{"written_at": "2026-11-22T09:30:00"}'):
        file.write_text(broken)
        assert read_simulated(file, NOW) is None


def test_city_is_read_from_the_answer_of_v1_city() -> None:
    body = {
        "lots": 3,
        "capacity": 90,
        "free_spaces": 12,
        "occupancy": 0.8,
        "live": 1,
        "stale": 1,
        "estimated": 0,
        "unknown": 1,
        "districts": [],
        "as_of": "2026-11-22T17:30:00+08:00",
    }
    assert msgspec.convert(body, City) == City(3, 12, 1, 1, 1, NOW)
    assert msgspec.convert({**body, "as_of": None}, City).as_of is None


def test_counter_is_summed_over_its_labels() -> None:
    text = (
        "# TYPE ingest_observations_total counter\n"
        'ingest_observations_total{kind="spaces"} 40.0\n'
        'ingest_observations_total{kind="count"} 2.0\n'
        "# TYPE ingest_messages_total counter\n"
        "ingest_messages_total 7.0\n"
    )
    assert parse_counter(text) == 42.0


def test_rate_is_per_second_and_unknown_across_a_restart() -> None:
    before = Reading(NOW, 100.0)
    assert rate(before, Reading(NOW + timedelta(seconds=5), 600.0)) == 100.0
    assert rate(before, Reading(NOW + timedelta(seconds=5), 10.0)) is None
    assert rate(None, before) is None
    assert rate(before, None) is None
