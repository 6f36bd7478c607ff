"""Posts to several processes of the API, and while they are replaced."""

import asyncio
import signal
from collections import Counter

import httpx

from deploy.checks import wait_until
from parking_api.settings import LANES, MOST_WORKERS, ApiSettings
from tests.ingest_mqtt.running import UNHURRIED, Bench, Ingester
from tests.parking_api.feeds.posting import GATES, LOGIN, body, post
from tests.parking_api.processes import WITHIN_S, Api, serving
from tests.polling import until
from tests.servers import Broker

# For a machine that is busy.
PATIENT = httpx.Timeout(30.0)


def test_each_process_has_a_name_and_a_number_of_its_own(broker: Broker) -> None:
    settings = ApiSettings(mqtt_url=broker.platform_api, push_url=broker.platform_push)
    own = [
        settings.of_worker(place, lane) for lane in range(LANES) for place in range(MOST_WORKERS)
    ]
    assert [each.pusher for each in own] == list(range(1, 33))
    names = [each.push_url.username for each in own if each.push_url]
    assert len(set(names)) == 32
    assert set(names) <= broker.users
    assert (names[0], names[31]) == ("platform-push", "platform-push-32")


async def test_sixteen_wait_over_all_processes(
    ingester: Ingester, broker: Broker, database_url: str
) -> None:
    assert ingester.process is not None
    with serving(database_url, API_WORKERS="2", API_PUSH_URL=broker.platform_push) as api:
        wait_until(lambda: len(api.workers()) == 2, "two workers", WITHIN_S)
        async with httpx.AsyncClient(
            base_url=api.url, timeout=PATIENT, limits=httpx.Limits(max_connections=None)
        ) as gateway:
            await until_both_answer(gateway)
            ingester.process.send_signal(signal.SIGSTOP)
            posts = [asyncio.create_task(post(gateway, seq, free=1)) for seq in range(100, 200)]
            await until(lambda: sum(each.done() for each in posts) == 84, "the refusals")
            ingester.process.send_signal(signal.SIGCONT)
            answers = await asyncio.gather(*posts)
            assert Counter(each.status_code for each in answers) == {200: 16, 429: 84}


async def test_no_post_fails_while_workers_are_replaced(
    bench: Bench, broker: Broker, database_url: str
) -> None:
    is_over = asyncio.Event()
    answers: Counter[str] = Counter()
    seqs = iter(range(1, 1_000_000))

    async def keep_posting(gateway: httpx.AsyncClient, **headers: str) -> None:
        while not is_over.is_set():
            content = body(next(seqs), free=1)
            answer = await gateway.post(GATES, content=content, auth=LOGIN, headers=headers)
            answers[answer.json().get("result", answer.text)] += 1

    with serving(database_url, API_WORKERS="2", API_PUSH_URL=broker.platform_push) as api:
        async with (
            bench.running(**UNHURRIED),
            httpx.AsyncClient(base_url=api.url, timeout=PATIENT) as gateway,
        ):
            await until_both_answer(gateway)
            gateways = [keep_posting(gateway) for _ in range(2)]
            gateways.append(keep_posting(gateway, Connection="close"))
            posting = asyncio.gather(*gateways)
            for _ in range(2):
                await asyncio.to_thread(reload, api)
            is_over.set()
            await posting

    assert set(answers) <= {"applied", "superseded"}
    assert answers["applied"] > 10


def reload(api: Api) -> None:
    api.reload()


async def until_both_answer(gateway: httpx.AsyncClient) -> None:
    """Return once each process has its connection to the broker."""
    well = 0
    async with asyncio.timeout(WITHIN_S):
        while well < 40:
            headers = {"Connection": "close"}
            answer = await gateway.post(GATES, content=b"", auth=LOGIN, headers=headers)
            well = well + 1 if answer.status_code == 422 else 0
