"""What public reads have, as browsers, caches and apps ask for it."""

import gzip
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.parking_api.builders import Builder
from tests.parking_api.processes import Api
from tests.parking_api.processes import serving as served
from tests.parking_api.serving import is_problem

HERE = "lon=120.38&lat=36.06"
LIVE = [
    f"/v1/nearest?{HERE}",
    f"/v1/nearest?{HERE}&source=database",
    f"/v1/spaces/nearest?{HERE}",
    "/v1/lots",
    "/v1/lots/a",
    "/v1/lots/a/spaces",
    "/v1/city",
    "/v1/zones",
]
KEPT = [
    "/v1/zones?at=2026-11-22T09:30:00Z",
    "/v1/tariffs",
    "/v1/mechanisms",
    "/v1/price-controls",
    "/v1/calendar",
    "/v1/map",
    "/v1/districts",
    "/v1/map/places",
]
ORIGIN = {"origin": "https://app.example"}


@pytest.fixture
async def app(api: httpx.AsyncClient, built: Builder) -> httpx.AsyncClient:
    """The API of a city of a few lots."""
    for lot_id in "abcdef":
        await built.lot(lot_id)
        await built.report(lot_id, 3)
    return api


@pytest.mark.parametrize("path", [*LIVE, *KEPT, "/v1/lots/nowhere", "/v1/city?colour=red"])
async def test_any_page_may_read_them(app: httpx.AsyncClient, path: str) -> None:
    answer = await app.get(path, headers=ORIGIN)
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_page_may_ask_for_quotes(app: httpx.AsyncClient) -> None:
    asked = {**ORIGIN, "access-control-request-method": "POST"}
    asked["access-control-request-headers"] = "content-type"
    told = await app.options("/v1/quotes", headers=asked)
    assert told.status_code == 204
    assert told.headers["access-control-allow-origin"] == "*"
    assert "POST" in told.headers["access-control-allow-methods"]
    assert told.headers["access-control-allow-headers"] == "*"
    answer = await app.post("/v1/quotes", json={}, headers=ORIGIN)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"


async def test_what_needs_a_key_is_for_no_page(app: httpx.AsyncClient) -> None:
    told = await app.options("/v1/enrolments", headers=ORIGIN)
    assert told.status_code == 204
    assert told.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    refused = await app.get("/v1/enrolments", headers=ORIGIN)
    for answer in (told, refused):
        assert not [name for name in answer.headers if name.startswith("access-control")]
    # Of two routes at a path, the one that anybody may read.
    drafts = await app.options("/v1/tariffs", headers=ORIGIN)
    assert drafts.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert drafts.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"


async def test_options_of_no_path(app: httpx.AsyncClient) -> None:
    assert is_problem(await app.options("/v1/nowhere"), 404)


async def test_a_wrong_method_is_told_all_right_ones(app: httpx.AsyncClient) -> None:
    answer = await app.delete("/v1/tariffs")
    assert is_problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("path", LIVE)
async def test_what_is_live_is_never_kept(app: httpx.AsyncClient, path: str) -> None:
    answer = await app.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


@pytest.mark.parametrize("path", KEPT)
async def test_what_is_kept_is_asked_for_again_by_its_tag(
    app: httpx.AsyncClient, path: str
) -> None:
    answer = await app.get(path)
    tag = answer.headers["etag"]
    assert answer.headers["cache-control"] == "no-cache"
    for known in (tag, "*", f'"other", {tag}', tag.removeprefix("W/")):
        same = await app.get(path, headers={"if-none-match": known})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == tag
        assert same.headers["access-control-allow-origin"] == "*"
    other = await app.get(path, headers={"if-none-match": 'W/"0"'})
    assert (other.status_code, other.content) == (200, answer.content)


async def test_another_answer_has_another_tag(app: httpx.AsyncClient) -> None:
    zones = await app.get("/v1/zones?at=2026-11-22T09:30:00Z")
    earlier = await app.get("/v1/zones?at=2000-01-01T00:00:00Z")
    assert zones.content != earlier.content
    assert zones.headers["etag"] != earlier.headers["etag"]


async def plain(api: httpx.AsyncClient, path: str, **headers: str) -> Any:
    """Ask as a client that asks for no encoding, unless it is given."""
    return await api.get(path, headers={"accept-encoding": "identity", **headers})


@pytest.mark.parametrize("path", [f"/v1/nearest?{HERE}", "/v1/lots", "/v1/map", "/openapi.json"])
async def test_they_are_compressed_when_asked(app: httpx.AsyncClient, path: str) -> None:
    whole = await plain(app, path)
    assert "content-encoding" not in whole.headers
    for asked in ("gzip", "deflate, gzip;q=0.5", "gzip, br", "identity;q=0, gzip", "GZIP"):
        async with app.stream("GET", path, headers={"accept-encoding": asked}) as answer:
            packed = b"".join([piece async for piece in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) == len(packed) < len(whole.content)
        text = gzip.decompress(packed)
        assert text[:40] == whole.content[:40]
        assert text[-2:] == whole.content[-2:]
    for asked in ("gzip;q=0", "gzip; q=0.000, *", "br"):
        refused = await plain(app, path, **{"accept-encoding": asked})
        assert "content-encoding" not in refused.headers


async def test_what_is_short_is_sent_as_it_is(app: httpx.AsyncClient) -> None:
    answer = await app.get("/v1/nearest?lon=1&lat=1", headers={"accept-encoding": "gzip"})
    assert len(answer.content) < 500
    assert "content-encoding" not in answer.headers


@pytest.fixture
def process(database_url: str) -> Iterator[Api]:
    with served(database_url) as api:
        yield api


def test_a_head_is_that_of_the_answer(process: Api) -> None:
    """On a real server, which must not wait for bytes that do not come."""
    paths = ["/v1/nearest?lon=1&lat=1", "/v1/city", "/v1/tariffs", "/v1/map", "/healthz"]
    paths.append("/v1/nowhere")
    with httpx.Client(base_url=process.url, timeout=10) as client:
        for path in [*paths, "/v1/stream?lon=1&lat=1"]:
            head = client.head(path)
            assert head.content == b""
            if path in paths:
                whole = client.get(path)
                assert head.status_code == whole.status_code
                for name in ("content-length", "content-type", "cache-control", "etag"):
                    assert head.headers.get(name) == whole.headers.get(name), (path, name)
            else:
                assert head.status_code == 200
                assert head.headers["content-type"].startswith("text/event-stream")
                assert head.headers["access-control-allow-origin"] == "*"


def test_text_that_is_not_encoded_is_a_problem(process: Api) -> None:
    """curl sends what it is given: Chinese in a query comes as it is."""
    for query in ("lon=1&lat=1&vehicle=小车", "车=1"):
        with socket.create_connection(("127.0.0.1", process.port), 10) as connection:
            asked = f"GET /v1/nearest?{query} HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n"
            connection.sendall(asked.encode())
            connection.settimeout(10)
            told = b""
            while piece := connection.recv(65536):
                told += piece
        head, _, body = told.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"content-type: application/problem+json" in head
        assert json.loads(body)["status"] == 400


async def test_options_of_nothing_is_a_problem_that_pages_may_read(app: httpx.AsyncClient) -> None:
    answer = await app.request("OPTIONS", "/none")
    assert is_problem(answer, 404)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"


async def test_the_head_of_a_stream_says_once_how_it_is_kept(app: httpx.AsyncClient) -> None:
    answer = await app.head("/v1/stream?bbox=120,36,121,37")
    assert answer.headers.get_list("cache-control") == ["no-store"]
