"""Every error is a problem, and none shows what is inside."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from tests.parking_api.builders import Builder
from tests.parking_api.serving import ageless, app_of, get, is_problem, serving
from tests.polling import until, until_somebody_waits
from tests.servers import Databases, declared


@pytest.mark.parametrize("path", ["/v2", "/v1", "/v1/city/", "/v1/lots/a/b", "/v1/%00"])
async def test_an_unknown_path(big_api: httpx.AsyncClient, path: str) -> None:
    assert is_problem(await big_api.get(path), 404)


async def test_an_unknown_method(big_api: httpx.AsyncClient) -> None:
    answer = await big_api.post("/v1/city", json={})

    assert is_problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


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
        answer = await api.get("/v1/lots/a?source=database")

    assert is_problem(answer, 500)
    assert "secret" not in answer.text
    assert "nowhere" not in answer.text
    assert [entry for entry in logs if entry["event"] == "request failed" and entry["exc_info"]]


async def test_logs_hold_no_coordinates(database_url: str) -> None:
    here = {"lon": 120.3777, "lat": 36.0666}
    async with serving(database_url, access_log=True) as api:
        with capture_logs() as logs:
            await api.get("/v1/nearest", params=here)
            await api.get("/v1/nearest", params={**here, "source": "database"})

    entries = [entry for entry in logs if entry["event"] == "request"]
    assert [entry["route"] for entry in entries] == ["/v1/nearest"] * 2
    assert "120.3777" not in str(logs)


async def test_what_is_well_is_logged_by_setting_alone(api: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        await api.get("/v1/nearest?lon=1&lat=1")
        await api.get("/v1/lots/a")

    entries = [(entry["route"], entry["status"]) for entry in logs if entry["event"] == "request"]
    assert entries == [("/v1/lots/{lot_id}", 404)]


@pytest.mark.parametrize("who", ["query_timeout_s", "read_timeout_s"])
async def test_a_query_that_takes_too_long(database_url: str, built: Builder, who: str) -> None:
    """It is told apart from a database that is away, whether the server ends it or we do."""
    await built.lot("a")
    short: dict[str, Any] = {who: 0.3}
    async with serving(database_url, reads_again=False, **short) as api:
        async with built.connection.transaction():
            await built.connection.execute("LOCK TABLE lot")
            told = await api.get("/v1/lots/a/spaces?source=database")
            assert (await get(api, "/v1/lots/a"))["degraded"] is False
        assert told.status_code == 503
        assert told.json()["type"] == "urn:onelot:problem:takes-too-long"


async def test_no_connection_to_be_had_in_time(database_url: str, built: Builder) -> None:
    await built.lot("a")
    async with serving(database_url, reads_again=False, pool_size=1, acquire_timeout_s=0.05) as api:
        lock = built.connection.transaction()
        await lock.start()
        await built.connection.execute("LOCK TABLE lot")
        waiting = asyncio.create_task(api.get("/v1/lots?source=database"))
        await until_somebody_waits(built.connection)

        refused = await api.get("/v1/lots/a/spaces?source=database")
        recalled = await get(api, "/v1/lots/a")

        await lock.rollback()
        assert (await waiting).status_code == 200
    assert is_problem(refused, 503)
    assert refused.headers["retry-after"] == "1"
    assert recalled["degraded"] is False


@pytest.mark.parametrize("is_answered", [True, False])
async def test_a_database_hangs_when_it_answers_nobody(
    database_url: str, built: Builder, *, is_answered: bool
) -> None:
    """Who waited in vain for a connection keeps no other out, if others were answered meanwhile."""
    await built.lot("a")
    came = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await reader.read(-1)
        writer.close()

    async with (
        serving(database_url, reads_again=False, acquire_timeout_s=0.5) as api,
        await asyncio.start_server(say_nothing, "127.0.0.1", 0) as silent,
        AsyncExitStack() as others,
    ):
        database = app_of(api).state.resources.database
        for _ in range(database.pool.get_idle_size() or 1):
            await others.enter_async_context(database.connection())
        database.pool.set_connect_args(
            "postgresql://{}:{}/x".format(*silent.sockets[0].getsockname())
        )
        waiting = asyncio.create_task(api.get("/v1/lots?source=database"))
        await came.wait()
        database.pool.set_connect_args(database_url)
        if is_answered:
            await others.aclose()
        assert is_problem(await waiting, 503)
        told = await api.get("/v1/lots?source=database")
    assert told.status_code == (200 if is_answered else 503)


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

        async def is_noticed() -> bool:
            return bool((await get(api, "/v1/city"))["degraded"])

        await until(is_noticed)
        listed = await get(api, "/v1/lots", **stay)
        as_of = before["/v1/nearest"]["as_of"]
        whole = before.pop("/v1/lots") | {"degraded": True, "as_of": as_of}
        assert ageless(listed) == ageless(whole)
        for path, known in before.items():
            told = await get(api, path, **asked[path])
            assert ageless(told) == ageless(known) | {"degraded": True}
        assert before["/v1/nearest"]["stay"] == before["/v1/lots/a"]["stay"]
        assert before["/v1/nearest"]["stay"]["from"] == "2026-11-22T09:30:00+00:00"
        for path in ("/v1/lots/a/spaces", "/v1/spaces/nearest?lon=1&lat=1"):
            assert (await api.get(path)).json()["degraded"] is True
            joined = "&" if "?" in path else "?"
            assert is_problem(await api.get(f"{path}{joined}source=database"), 503)
        assert is_problem(await api.get("/readyz"), 503)
        assert (await api.get("/v1/lots/b")).status_code == 404
        assert (await api.get("/healthz")).status_code == 200
        assert "onelot_api_database_up 0.0" in (await api.get("/metrics")).text


async def test_it_starts_without_its_database_and_finds_it_when_it_is_there(
    databases: Databases,
) -> None:
    url = await databases.create()
    await databases.drop(url)
    async with serving(url, has_database=False) as api:
        for path in ("/healthz", "/readyz", "/v1/nearest?lon=1&lat=1", "/v1/tariffs"):
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
