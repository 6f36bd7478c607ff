"""/healthz, /readyz and /metrics."""

import httpx

from tests.parking_api.builders import Builder
from tests.parking_api.serving import get, refused, samples, serving
from tests.polling import until
from tests.servers import Broker


async def readiness(api: httpx.AsyncClient) -> tuple[int, list[str], str]:
    answer = await api.get("/readyz")
    kind = "application/json" if answer.status_code == 200 else "application/problem+json"
    assert answer.headers["content-type"] == kind
    body = answer.json()
    return answer.status_code, body.get("missing", []), body.get("detail", "")


async def test_ready_once_the_city_is_whole(api: httpx.AsyncClient, built: Builder) -> None:
    await heartbeat(built, age_s=1)
    assert await readiness(api) == (503, ["city"], "No lot is loaded yet.")
    await built.lot("a")
    assert await readiness(api) == (200, [], "")
    await built.lot("s", gateway_id="gw-s", operator_id="op-b")
    awaited = "1 of 2 lots have not been heard from yet."
    assert await readiness(api) == (503, ["city"], awaited)
    await built.report("s", 3, age_s=100_000)
    assert await get(api, "/readyz") == {"status": "ready", "lots": 2}


async def heartbeat(built: Builder, age_s: int, stopped: str | None = None) -> None:
    await built.connection.execute(
        """
        INSERT INTO ingester_status
        VALUES ('ingester', now() - $1 * interval '1 s', $2,
                CASE WHEN $2::text IS NOT null THEN now() END)
        ON CONFLICT (ingester) DO UPDATE
        SET heartbeat_at = excluded.heartbeat_at, stopped = excluded.stopped,
            stopped_at = excluded.stopped_at
        """,
        age_s,
        stopped,
    )


async def test_not_ready_without_an_ingester_at_work(
    api: httpx.AsyncClient, built: Builder
) -> None:
    await built.lot("a")
    silent = "The ingester has not been heard from."
    assert await readiness(api) == (503, ["ingester"], silent)
    await heartbeat(built, age_s=30)
    assert await readiness(api) == (503, ["ingester"], silent)
    await heartbeat(built, age_s=5)
    assert await readiness(api) == (200, [], "")
    for why, said in (("internal", "a fault of ours"), ("clock", "the platform's clock")):
        await heartbeat(built, 1, why)
        status, missing, detail = await readiness(api)
        assert (status, missing) == (503, ["ingester"])
        assert said in detail


async def test_not_ready_without_the_broker(
    database_url: str, built: Builder, broker: Broker
) -> None:
    await built.lot("a")
    await heartbeat(built, age_s=1)
    async with serving(database_url, mqtt_url=broker.platform_api) as api:

        async def is_ready() -> bool:
            return (await readiness(api))[0] == 200

        async def is_without_broker() -> bool:
            return (await readiness(api))[1] == ["broker"]

        await until(is_ready)
        broker.stop()
        await until(is_without_broker)
        assert (await api.get("/healthz")).status_code == 200
        broker.start()
        await until(is_ready)


async def test_alive(api: httpx.AsyncClient) -> None:
    assert await get(api, "/healthz") == {"status": "alive"}


async def test_none_takes_parameters(big_api: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert await refused(big_api, path, verbose=1) == ["verbose"]


async def test_metrics_count_by_route_and_tell_the_city(
    api: httpx.AsyncClient, built: Builder
) -> None:
    await built.lot("a")
    await built.report("a", 3)
    await built.lot("b")
    for path in ("/v1/lots/a", "/v1/lots/b", "/v1/lots/c", "/nowhere", "/elsewhere"):
        await api.get(path)
    await api.request("BREW", "/v1/lots/a")

    told = await samples(api)

    def requests(method: str, route: str, status: int) -> float:
        labels = frozenset({("method", method), ("route", route), ("status", str(status))})
        return told["onelot_api_requests_total", labels]

    assert requests("GET", "/v1/lots/{lot_id}", 200) == 2
    assert requests("GET", "/v1/lots/{lot_id}", 404) == 1
    assert requests("GET", "unmatched", 404) == 2
    assert not [key for key in told if "BREW" in str(key)]
    assert told["onelot_city_lots", frozenset({("state", "live")})] == 1
    assert told["onelot_city_lots", frozenset({("state", "unknown")})] == 1
    assert told["onelot_city_free_spaces", frozenset()] == 3
    assert 60 <= told["onelot_city_newest_commit_age_seconds", frozenset()] < 90
    assert told["onelot_api_database_up", frozenset()] == 1
    assert told["onelot_api_pool_connections", frozenset({("state", "idle")})] >= 1
