"""The hot routes answer as the routes that they stand in for."""

import gzip
import random
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from parking_api.lots.models import NearestLots
from parking_api.lots.writing import Writer
from parking_api.metrics import Metrics
from parking_api.spaces.models import NearestSpaces
from tests.parking_api.serving import app_of, samples

QUESTIONS = 1500
# A text for each parameter, well and not well formed; `?` is anything.
VALUES = {
    "lon": [
        "120.38",
        "120.380001",
        "-120.4",
        "180",
        "181",
        "nan",
        "1e2",
        "",
        "120,3",
        "\u0661",
        "%31",
    ],
    "lat": ["36.06", "36.0712", "90", "-90", "91", "inf", "36.06 ", "+36.06", "3_6"],
    "limit": ["1", "10", "100", "0", "101", "1.0", "1.5", "ten", " 5"],
    "radius_m": ["500", "2000", "20000", "1", "0.5", "2e3", "20001"],
    "min_free": ["0", "1", "5", "10000", "-1", "10001"],
    "space_class": ["standard", "ev", "accessible", "large", "EV", "small"],
    "height_m": ["1.9", "2.1", "0.9", "6.1"],
    "open_throughout": ["true", "false", "1", "0", "yes", "maybe"],
    "vehicle": ["small", "large", "Small", "no such", "a" * 65],
    "at": [
        "2026-11-22T09:30:00Z",
        "2026-11-22T09:30:00+08:00",
        "2026-11-22",
        "1999-01-01T00:00:00Z",
    ],
    "duration_min": ["1", "60", "43200", "0", "43201"],
    "source": ["memory", "database", "disk"],
    "crs": ["gcj02", "utm"],
    "colour": ["red"],
}
USUAL = {"lon": "120.38", "lat": "36.06"}


def queries(dice: random.Random) -> Iterator[str]:
    names = list(VALUES)
    for _ in range(QUESTIONS):
        given = {name: text for name, text in USUAL.items() if dice.random() < 0.95}
        for name in dice.sample(names, dice.randint(0, 3)):
            given[name] = dice.choice(VALUES[name])
        parts = [f"{name}={text}" for name, text in given.items()]
        if dice.random() < 0.1:
            parts.append(dice.choice([*parts, "", "&", "limit", "lat=36.06", "=", "limit=3;lon=1"]))
        dice.shuffle(parts)
        yield "&".join(parts)


def asked_at_once(
    api: httpx.AsyncClient, path: str, query: str, headers: Sequence[tuple[bytes, bytes]] = ()
) -> bytes | None:
    """What the server gets for a request, before the application is asked."""
    hot = app_of(api).state.hot_routes
    answer = hot.answer(path.encode(), query.encode(), list(headers), "127.0.0.1")
    return None if answer is None else bytes(answer.body)


@pytest.mark.parametrize(
    ("path", "model"), [("/v1/nearest", NearestLots), ("/v1/spaces/nearest", NearestSpaces)]
)
async def test_they_answer_as_the_routes_do(
    big_api: httpx.AsyncClient, path: str, model: type[BaseModel]
) -> None:
    statuses = []
    for query in queries(random.Random(path)):
        quick = asked_at_once(big_api, path, query)
        usual = await big_api.get(f"{path}?{query}")
        statuses.append((usual.status_code, quick is not None))
        if quick is not None:
            assert quick == usual.content, query
            model.model_validate_json(quick)
    # What is well is answered, but for what stands encoded or asks for the database.
    assert statuses.count((200, True)) > QUESTIONS / 4
    assert statuses.count((200, False)) < statuses.count((200, True)) / 4
    assert statuses.count((422, False)) > QUESTIONS / 4
    assert statuses.count((422, True)) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"headers": [(b"content-length", b"2")]},
        {"headers": [(b"transfer-encoding", b"chunked")]},
        {"path": "/v1/nearest/"},
        {"path": "/v1/lots"},
    ],
)
async def test_other_requests_go_to_the_application(
    big_api: httpx.AsyncClient, other: dict[str, Any]
) -> None:
    query = "lon=120.38&lat=36.06"
    assert asked_at_once(big_api, "/v1/nearest", query) is not None
    assert asked_at_once(big_api, **{"path": "/v1/nearest", "query": query} | other) is None


async def test_who_takes_gzip_gets_it(big_api: httpx.AsyncClient) -> None:
    query = "lon=120.38&lat=36.06"
    plain = asked_at_once(big_api, "/v1/nearest", query)
    headers = [(b"accept-encoding", b"br, gzip")]
    packed = asked_at_once(big_api, "/v1/nearest", query, headers=headers)
    assert packed is not None
    assert gzip.decompress(packed) == plain


async def test_one_that_fails_is_left_to_its_route(
    big_api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Writer, "nearest", None)
    assert asked_at_once(big_api, "/v1/nearest", "lon=120.38&lat=36.06") is None


async def test_they_are_counted_as_others_are(big_api: httpx.AsyncClient) -> None:
    route = ("route", "/v1/nearest")
    requests = "onelot_api_requests_total", frozenset({("method", "GET"), route, ("status", "200")})
    observed = "onelot_api_request_seconds_count", frozenset({route})
    seconds = "onelot_api_request_seconds_sum", frozenset({route})
    assert (await big_api.get("/v1/nearest?lon=120.38&lat=36.06")).status_code == 200
    before = await samples(big_api)
    for _ in range(3):
        assert asked_at_once(big_api, "/v1/nearest", "lon=120.38&lat=36.06") is not None
    after = await samples(big_api)
    assert [after[key] - before[key] for key in (requests, observed)] == [3, 3]
    assert 0 < after[seconds] - before[seconds] < 3


async def test_counts_that_are_added_late_are_those_of_each_request() -> None:
    at_once, late = Metrics(), Metrics()
    tally = late.tally("GET", "/v1/city", 200)
    for ms in (0.5, 1, 1.1, 2.5, 30, 99, 20_000):
        at_once.note_request("GET", "/v1/city", 200, ms / 1000)
        tally.note(ms / 1000)
    told, known = (
        [line for line in each.exposition().splitlines() if b"_created" not in line]
        for each in (late, at_once)
    )
    assert told == known
    assert b'onelot_api_requests_total{method="GET",route="/v1/city",status="200"} 7.0' in told
