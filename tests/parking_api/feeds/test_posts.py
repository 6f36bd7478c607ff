"""Reports that gateways post: through the broker to the ingester, and their acks back."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from parking_api.feeds import pushing
from sql.engine import Db
from tests.ingest_mqtt.proxy import proxy_to
from tests.ingest_mqtt.running import Bench, Ingester, client, totals
from tests.parking_api.feeds.posting import GATES, LOGIN, body, post, problem, set_password
from tests.parking_api.people.keys import keyed
from tests.parking_api.serving import get, samples, serving
from tests.polling import until
from tests.servers import Broker


@pytest.fixture
async def api(bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    """The API, connected to the broker."""
    async with serving(
        bench.database_url, reads_again=False, push_url=bench.broker.platform_push
    ) as made:
        await connected(made)
        yield made


async def connected(api: httpx.AsyncClient) -> None:
    transport: Any = api._transport
    await until(lambda: transport.app.state.pushes._client is not None, "the broker")


async def test_a_post_is_answered_with_its_ack(
    ingester: Ingester, api: httpx.AsyncClient, city: Db, database_url: str
) -> None:
    applied, again = await post(api, 5, free=7), await post(api, 5, free=7)
    older, wrong = await post(api, 4, free=8), await post(api, 6, free=51)

    answers = (applied, again, older, wrong)
    assert [each.status_code for each in answers] == [200, 200, 200, 422]
    assert {each.headers["content-type"] for each in answers} == {"application/json"}
    acks = [each.json() for each in answers]
    assert [ack["result"] for ack in acks] == ["applied", "duplicate", "superseded", "rejected"]
    assert (acks[0]["epoch"], acks[0]["seq"]) == (100, 5)
    assert acks[0]["age_s"] > 0
    assert acks[2]["last"] == {"epoch": 100, "seq": 5}
    assert acks[3]["reason"] == "out_of_range"
    # After COMMIT.
    assert await city.fetchval("SELECT free_spaces FROM lot_state WHERE lot_id = 'gates'") == 7

    operations = await keyed(database_url, "li", "operations")
    told = (await api.get("/v1/feeds/gw-a", headers=operations)).json()
    ways = {lot["lot_id"]: lot["transport"] for lot in told["items"]}
    assert ways == {"bays": None, "gates": "http"}
    assert (told["gateway"]["lots_by_http"], told["gateway"]["lots_by_mqtt"]) == (1, 0)
    counted = await samples(api)
    results = ("applied", "duplicate", "superseded", "rejected")
    for result in results:
        assert counted["onelot_api_pushed_total", frozenset({("result", result)})] == 1
    counters = await asyncio.to_thread(ingester.counters)
    assert totals(counters, "pushed", "result") == dict.fromkeys(results, 1)


@pytest.mark.usefixtures("ingester")
async def test_whatever_is_posted_finds_its_own_answer(
    api: httpx.AsyncClient, broker: Broker, city: Db
) -> None:
    """Broken messages and good ones at once, whatever they name, and a gateway over MQTT beside."""
    await city.execute(
        "INSERT INTO lot (lot_id, operator_id, gateway_id, name_zh, name_en, lot_type, reporting,"
        " report_interval_s, capacity, geog, retired_at) SELECT 'gone', operator_id, gateway_id,"
        " name_zh, name_en, lot_type, reporting, report_interval_s, capacity, geog, now()"
        " FROM lot WHERE lot_id = 'gates'; SELECT pg_notify('registry', 'gone')"
    )

    async def is_known() -> bool:
        found = await api.post(GATES.replace("gates", "gone"), content=body(1, free=1), auth=LOGIN)
        return bool(found.json()["reason"] == "retired_lot")

    await until(is_known, "the retired lot")
    bodies = {
        "malformed": b"[",
        "invalid": b"{}",
        "unknown_lot": body(1, free=1),
        "foreign_lot": body(1, occupied=[1]),
        "retired_lot": body(1, free=1),
        "wrong_kind": body(1, free=1),
    }
    lots = {"unknown_lot": "nowhere/count", "foreign_lot": "other/spaces"}
    paths = {"wrong_kind": "bays/count", "retired_lot": "gone/count"} | lots
    async with client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway:
        posts = [
            api.post(f"/v1/feeds/gw-a/{paths.get(name, 'gates/count')}", content=text, auth=LOGIN)
            for name, text in bodies.items()
        ]
        good = [post(api, seq, free=seq) for seq in range(1, 9)]
        answers = await asyncio.gather(*posts, *good, gateway.send("gates", "count", seq=99))
        refused, taken = answers[:6], answers[6:-1]

        assert [each.json()["reason"] for each in refused if each] == list(bodies)
        assert {each.status_code for each in refused if each} == {422}
        assert [each.json()["seq"] for each in taken if each] == list(range(1, 9))
        await until(lambda: len(gateway.results) == 1, "the gateway's own ack")
        assert gateway.results == ["rejected"]


async def test_who_is_not_the_gateway_is_refused(api: httpx.AsyncClient, city: Db) -> None:
    await set_password(city, "other", "gw-b")
    assert problem(await api.post(GATES, content=b"{}"), 401) == "blank"
    for auth in (("gw-a", "wrong"), ("gw-a", ""), ("gw-c", "right"), ("", "")):
        answer = await api.post(GATES, content=b"{}", auth=auth)
        assert problem(answer, 401) == "blank"
        assert answer.headers["www-authenticate"] == 'Basic realm="onelot"'
    for header in ("Bearer ok_x", "Basic", "Basic ?", "Basic Z3ctYQ==", "Basic /////w=="):
        answer = await api.post(GATES, content=b"{}", headers={"Authorization": header})
        assert answer.status_code == 401, header
        assert answer.headers["www-authenticate"] == 'Basic realm="onelot"'

    async def other() -> httpx.Response:
        return await api.post(GATES, content=b"{}", auth=("gw-b", "other"))

    async def is_known() -> bool:
        return (await other()).status_code == 403

    # A new password is good at once, as far as notifications go.
    await until(is_known, "gw-b's password")
    assert problem(await other(), 403) == "blank"


async def test_a_changed_password_is_taken_up(
    ingester: Ingester, api: httpx.AsyncClient, city: Db
) -> None:
    del ingester
    assert (await post(api, 1, free=1)).status_code == 200
    await set_password(city, "new")

    async def is_ended() -> bool:
        return (await post(api, 2, free=2)).status_code == 401

    await until(is_ended, "the end of the old password")
    answer = await api.post(GATES, content=body(3, free=3), auth=("gw-a", "new"))
    assert answer.json()["result"] == "applied"


async def test_guesses_are_bounded(ingester: Ingester, api: httpx.AsyncClient) -> None:
    del ingester
    answers = [await api.post(GATES, content=b"{}", auth=("gw-a", "guess")) for _ in range(12)]
    assert [each.status_code for each in answers] == [401] * 10 + [429] * 2
    assert problem(answers[-1], 429) == "too-many-wrong-passwords"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 6


WRONG = [
    ("/v1/feeds/gw-a/gates/status", "kind"),
    ("/v1/feeds/gw-a/gates/plates", "kind"),
    ("/v1/feeds/gw-a/%2B/count", "lot_id"),
    ("/v1/feeds/gw-a/%23/count", "lot_id"),
    ("/v1/feeds/gw-a/a%00b/count", "lot_id"),
    (f"/v1/feeds/gw-a/{'x' * 65}/count", "lot_id"),
    ("/v1/feeds/gw-a/Gro%C3%9Fer%20Markt/count", "lot_id"),
    ("/v1/feeds/gw-a/gates/count?retain=true", "retain"),
]


async def test_what_is_no_feed_is_refused(api: httpx.AsyncClient) -> None:
    for path, parameter in WRONG:
        answer = await api.post(path, content=body(1, free=1), auth=LOGIN)
        assert problem(answer, 422) == "blank", path
        assert [fault["parameter"] for fault in answer.json()["errors"]] == [parameter], path
    assert (await api.post("/v1/feeds/gw-a//count", content=b"", auth=LOGIN)).status_code == 404
    assert (await api.post("/v1/feeds/%2B/gates/count", content=b"", auth=LOGIN)).status_code == 403


async def test_bodies_are_bounded(ingester: Ingester, api: httpx.AsyncClient) -> None:
    del ingester
    largest = body(1, free=1).ljust(65_536)
    assert (await api.post(GATES, content=largest, auth=LOGIN)).json()["result"] == "applied"

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 65_536

    for content in (largest + b" ", endless()):
        answer = await api.post(GATES, content=content, auth=LOGIN)
        assert problem(answer, 413) == "blank"
    packed = {"Content-Encoding": "gzip"}
    answer = await api.post(GATES, content=b"\x1f\x8b", auth=LOGIN, headers=packed)
    assert problem(answer, 415) == "blank"
    empty = await api.post(GATES, auth=LOGIN)
    assert (empty.status_code, empty.json()["reason"]) == (422, "malformed")


async def test_over_its_rate_a_gateway_hears_when_to_send_again(
    bench: Bench, api: httpx.AsyncClient
) -> None:
    """The rates of bytes, which few messages reach."""
    async with bench.running(INGEST_MESSAGE_BYTES="1024"):
        large = [body(seq, free=seq).ljust(60_000) for seq in range(1, 5)]
        answers = [await api.post(GATES, content=each, auth=LOGIN) for each in large]
        assert [each.status_code for each in answers[:1] + answers[-1:]] == [200, 429]
        ack = answers[-1].json()
        assert (ack["result"], ack["seq"]) == ("deferred", 4)
        assert answers[-1].headers["retry-after"] == str(ack["retry_s"]) == "3"


async def test_sixteen_wait_and_the_others_are_told_to_come_again(
    ingester: Ingester, api: httpx.AsyncClient
) -> None:
    assert ingester.process is not None
    ingester.process.send_signal(signal.SIGSTOP)
    posts = [asyncio.create_task(post(api, seq, free=1)) for seq in range(1, 101)]
    await until(lambda: sum(each.done() for each in posts) == 84, "the refusals")
    ingester.process.send_signal(signal.SIGCONT)
    answers = await asyncio.gather(*posts)

    refused = [each for each in answers if each.status_code == HTTPStatus.TOO_MANY_REQUESTS]
    assert len(refused) == 84
    assert {problem(each, 429) for each in refused} == {"too-many-waiting"}
    assert {each.headers["retry-after"] for each in refused} == {"1"}
    taken = [each.json()["result"] for each in answers if each.status_code == HTTPStatus.OK]
    assert taken == ["applied"] * 16
    # The places are free again.
    assert (await post(api, 200, free=1)).json()["result"] == "applied"


async def test_without_an_ack_the_answer_says_so(
    ingester: Ingester, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "ACK_WITHIN_S", 1)
    await ingester.stop()
    answer = await post(api, 1, free=1)

    assert problem(answer, 503) == "no-ack"
    assert answer.headers["retry-after"]
    counted = await samples(api)
    assert counted["onelot_api_pushed_total", frozenset({("result", "no_ack")})] == 1
    # The broker kept it for as long as somebody waited, and not longer.
    await asyncio.sleep(2)
    await ingester.start()
    await until(lambda: ingester.logged("connected to broker") == 2, "the ingester")
    monkeypatch.setattr(pushing, "ACK_WITHIN_S", 10)
    assert (await post(api, 2, free=1)).json()["result"] == "applied"
    counters = await asyncio.to_thread(ingester.counters)
    assert totals(counters, "pushed", "result") == {"applied": 1}


async def test_while_the_broker_is_away_nothing_waits(
    ingester: Ingester,
    api: httpx.AsyncClient,
    broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ingester.process is not None
    ingester.process.send_signal(signal.SIGSTOP)
    waiting = asyncio.create_task(post(api, 1, free=1))
    transport: Any = api._transport
    await until(lambda: transport.app.state.pushes._waiting, "a post that waits")
    broker.kill()
    # Who waits is told when the connection is lost, and the next ones at once.
    answers = [await waiting, await post(api, 2, free=1)]
    ingester.process.send_signal(signal.SIGCONT)

    assert [problem(each, 503) for each in answers] == ["blank"] * 2
    assert {each.headers["retry-after"] for each in answers} == {"1"}
    broker.start()
    # Until the ingester is there too, nobody hears what is handed on.
    monkeypatch.setattr(pushing, "ACK_WITHIN_S", 1)

    async def is_back() -> bool:
        return (await post(api, 3, free=1)).status_code == HTTPStatus.OK

    await until(is_back, "the broker")


async def test_while_the_database_is_away_nothing_is_handed_on(
    bench: Bench, city: Db, database_url: str
) -> None:
    del city
    port = int(database_url.rpartition("/")[0].rpartition(":")[2])
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(bench.running())
        proxy = await stack.enter_async_context(proxy_to(port))
        through = database_url.replace(f":{port}/", f":{proxy.port}/")
        api = await stack.enter_async_context(
            serving(through, reads_again=False, push_url=bench.broker.platform_push)
        )
        await connected(api)
        assert (await post(api, 1, free=1)).status_code == HTTPStatus.OK
        proxy.is_open = False
        proxy.cut()

        async def is_degraded() -> bool:
            return bool((await get(api, "/v1/city"))["degraded"])

        await until(is_degraded, "that the database is away")
        answer = await post(api, 2, free=1)
        assert problem(answer, 503) == "blank"
        assert answer.headers["retry-after"] == "1"
        # Passwords are in memory.
        wrong = await api.post(GATES, content=b"{}", auth=("gw-a", "wrong"))
        assert problem(wrong, 401) == "blank"
        proxy.is_open = True

        async def is_back() -> bool:
            return (await post(api, 3, free=1)).status_code == HTTPStatus.OK

        await until(is_back, "the database")


async def test_without_a_way_to_the_broker_posts_are_refused(city: Db, database_url: str) -> None:
    del city
    async with serving(database_url, reads_again=False) as api:
        assert problem(await post(api, 1, free=1), 503) == "blank"
