"""A database that takes connections and questions, and answers nothing."""

import asyncio
from urllib.parse import urlsplit

from tests.ingest_mqtt.proxy import proxy_to
from tests.parking_api.builders import Builder
from tests.parking_api.serving import get, serving
from tests.polling import until

HERE = {"lon": 120.38, "lat": 36.06}
# Longer than the test waits for anything: what waits for it fails.
PATIENCE_S = 60.0


async def test_it_holds_up_only_those_that_find_it_so(database_url: str, built: Builder) -> None:
    await built.lot("a")
    await built.report("a", 3)
    port = urlsplit(database_url).port
    assert port is not None
    async with proxy_to(port) as way:
        through = database_url.replace(f":{port}/", f":{way.port}/")
        async with serving(
            through, query_timeout_s=PATIENCE_S, acquire_timeout_s=1.0, reads_again=False
        ) as api:

            async def is_degraded() -> bool:
                return bool((await get(api, "/v1/nearest", **HERE))["degraded"])

            async def status() -> int:
                found = await api.get("/v1/nearest", params={**HERE, "source": "database"})
                return found.status_code

            async def is_whole() -> bool:
                return not await is_degraded() and await status() == 200

            # On a busy machine a first connection may take longer than a request waits for it.
            await until(is_whole)
            # The pool has several connections then: each is frozen, whoever is lent it.
            assert set(await asyncio.gather(*(status() for _ in range(8)))) == {200}
            way.flows.clear()

            async with asyncio.timeout(20):
                told = await api.get("/readyz")
            assert told.status_code == 503
            assert "database" in told.json()["missing"]
            await until(is_degraded)

            # Of a hundred at once one may try it; the others would take a minute of the pool.
            asked = [asyncio.create_task(status()) for _ in range(100)]
            async with asyncio.timeout(20):
                assert set(await asyncio.gather(*asked)) == {503}
            tries = way.connections

            async def is_tried_again() -> bool:
                await status()
                return way.connections > tries

            await until(is_tried_again)
            way.flows.set()

            await until(is_whole)
            assert {await status() for _ in range(20)} == {200}
