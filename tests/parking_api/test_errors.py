"""Every error is a problem, and none shows what is inside."""

import asyncio
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from tests.parking_api.builders import Builder
from tests.parking_api.serving import ageless, get, is_problem, serving
from tests.polling import until, until_somebody_waits
from tests.servers import Databases, declared


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/city/", "/v1/lots/a/b", "/v1/%00"])
async def test_an_unknown_path(big_api: httpx.AsyncClient, path: str) -> None:
    assert is_problem(await big_api.get(path), 404)


async def test_an_unknown_method(big_api: httpx.AsyncClient) -> None:
    answer = await big_api.post("/v1/city", json={})

    assert is_problem(answer, 405)
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("lot_id", ["a%00b", "%ff", "A", "a%20b", "x" * 65, "%27;--", "%E8%BD%A6"])
async def test_an_impossible_lot_id(big_api: httpx.AsyncClient, lot_id: str) -> None:
    for rest in ("", "/spaces", "/occupancy"):
        answer = await big_api.get(f"/v1/lots/{lot_id}{rest}")
        assert is_problem(answer, 422)
        assert [fault["parameter"] for fault in answer.json()["errors"]] == ["lot_id"]


@pytest.mark.parametrize("query", ["lon=%00&lat=1", "lon=%ff&lat=1", "lon=1&lat=1&%00=1", "lon"])
async def test_broken_encodings(big_api: httpx.AsyncClient, query: str) -> None:
    assert is_problem(await big_api.get(f"/v1/nearest?{query}"), 422)


async def test_no_error_is_told_by_a_pool_of_threads(
    big_api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty of them would contend with the loop, whoever sends what is refused."""
    monkeypatch.setattr("anyio.to_thread.run_sync", None)

    assert is_problem(await big_api.get("/nowhere"), 404)
    assert is_problem(await big_api.get("/v1/lots?limit=x"), 422)
    assert is_problem(await big_api.get("/v1/lots/nowhere"), 404)
    assert (await big_api.get("/v1/people")).status_code == 401


async def test_a_fault_of_ours_is_logged_and_not_told(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declared("lots.lots"), "text", "SELECT secret FROM nowhere")

    with capture_logs() as logs:
        answer = await api.get("/v1/lots/a")

    assert is_problem(answer, 500)
    assert "secret" not in answer.text
    assert "nowhere" not in answer.text
    assert [entry for entry in logs if entry["event"] == "request failed" and entry["exc_info"]]


async def test_logs_hold_no_coordinates(api: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        await api.get("/v1/nearest", params={"lon": 120.3777, "lat": 36.0666})

    (entry,) = [entry for entry in logs if entry["event"] == "request"]
    assert entry["route"] == "/v1/nearest"
    assert "120.3777" not in str(logs)


async def test_a_query_that_takes_too_long(database_url: str, built: Builder) -> None:
    """It is told apart from a database that is away."""
    await built.lot("a")
    async with serving(database_url, query_timeout_s=0.3) as api:
        async with built.connection.transaction():
            await built.connection.execute("LOCK TABLE lot")
            told = await api.get("/v1/lots/a/spaces")
        assert told.status_code == 503
        assert told.json()["type"] == "urn:onelot:problem:takes-too-long"


async def test_no_connection_to_be_had_in_time(database_url: str, built: Builder) -> None:
    await built.lot("a")
    async with serving(database_url, pool_size=1, acquire_timeout_s=0.05) as api:
        lock = built.connection.transaction()
        await lock.start()
        await built.connection.execute("LOCK TABLE lot")
        waiting = asyncio.create_task(api.get("/v1/lots"))
        await until_somebody_waits(built.connection)

        refused = await api.get("/v1/lots/a/spaces")
        degraded = await get(api, "/v1/lots/a")

        await lock.rollback()
        assert (await waiting).status_code == 200
    assert is_problem(refused, 503)
    assert refused.headers["retry-after"] == "1"
    assert degraded["degraded"] is True


async def test_the_database_away(databases: Databases, database_url: str, built: Builder) -> None:
    await built.lot("a", district="370202")
    await built.report("a", 3)
    async with serving(database_url) as api:
        # The stay of a whole minute, which does not pass meanwhile.
        stay = {"at": "2026-11-22T09:30:00Z"}
        asked: dict[str, dict[str, Any]] = {
            "/v1/city": {},
            "/v1/lots/a": stay,
            "/v1/nearest": {"lon": 120.38, "lat": 36.06, **stay},
        }
        before = {path: await get(api, path, **given) for path, given in asked.items()}
        before["/v1/lots"] = await get(api, "/v1/lots", **stay)
        await built.connection.close()
        await databases.drop(database_url)

        listed = await get(api, "/v1/lots", **stay)
        as_of = before["/v1/nearest"]["as_of"]
        whole = before.pop("/v1/lots") | {"degraded": True, "as_of": as_of}
        assert ageless(listed) == ageless(whole)
        for path, known in before.items():
            told = await get(api, path, **asked[path])
            assert ageless(told) == ageless(known) | {"degraded": True}
        assert before["/v1/nearest"]["stay"] == before["/v1/lots/a"]["stay"]
        assert before["/v1/nearest"]["stay"]["from"] == "2026-11-22T09:30:00+00:00"
        for path in ("/v1/lots/a/spaces", "/v1/spaces/nearest?lon=1&lat=1", "/readyz"):
            assert is_problem(await api.get(path), 503)
        assert (await api.get("/v1/lots/b")).status_code == 404
        assert (await api.get("/healthz")).status_code == 200
        assert "onelot_api_database_up 0.0" in (await api.get("/metrics")).text


async def test_it_starts_without_its_database_and_finds_it_when_it_is_there(
    databases: Databases,
) -> None:
    url = await databases.create()
    await databases.drop(url)
    async with serving(url, has_database=False) as api:
        for path in ("/healthz", "/readyz", "/v1/nearest?lon=1&lat=1", "/v1/people"):
            answer = await api.get(path)
            assert is_problem(answer, 503)
            assert answer.headers["retry-after"] == "1"
        missing = (await api.get("/readyz")).json()["missing"]
        assert (await api.get("/metrics")).status_code == 200

        await databases.create(name=url.rpartition("/")[2])

        async def is_answering() -> bool:
            return (await api.get("/healthz")).status_code == 200

        await until(is_answering)
        assert (await api.get("/v1/city")).json()["lots"] == 0
    await databases.drop(url)
    assert missing == ["database", "city"]
