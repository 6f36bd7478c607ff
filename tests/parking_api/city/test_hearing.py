"""States are heard as fast as they come, however long a turn of the loop takes."""

import asyncio
import time

import pytest

from parking_api.city.hearing import BrokerAwayError, Hearing
from parking_api.settings import ApiSettings, MqttUrl
from tests.parking_api.city.messages import ingester
from tests.polling import until
from tests.servers import Broker

STATES = 200


def url(broker: Broker) -> MqttUrl:
    found = ApiSettings(mqtt_url=broker.platform_api).mqtt_url
    assert found
    return found


async def test_a_turn_of_the_loop_takes_all_that_has_come(broker: Broker) -> None:
    async with ingester(broker) as sender:
        for number in range(STATES):
            await sender.publish(f"onelot/v1/state/{number}", b"%d" % number, qos=1, retain=True)
    heard: list[bytes] = []
    turns: set[int] = set()
    turn = 0

    def count() -> None:
        nonlocal turn
        turn += 1
        loop.call_soon(count)

    def hear(payload: bytes) -> None:
        if not heard:
            # Meanwhile all the others come, as beside questions.
            time.sleep(0.5)
        heard.append(payload)
        turns.add(turn)

    loop = asyncio.get_running_loop()
    hearing = asyncio.create_task(Hearing(url(broker), hear).run(lambda: None))
    try:
        loop.call_soon(count)
        await until(lambda: len(heard) >= STATES)
    finally:
        hearing.cancel()
    assert sorted(map(int, heard)) == list(range(STATES))
    assert len(turns) < STATES / 10


async def test_its_end_is_told(broker: Broker) -> None:
    subscribed = asyncio.Event()
    hearing = asyncio.create_task(Hearing(url(broker), lambda _: None).run(subscribed.set))
    await subscribed.wait()
    broker.stop()
    with pytest.raises(BrokerAwayError):
        await hearing
    with pytest.raises(BrokerAwayError):
        await Hearing(url(broker), lambda _: None).run(lambda: None)
    broker.start()


async def test_a_broker_that_refuses_us_is_away(broker: Broker) -> None:
    wrong = ApiSettings(mqtt_url=broker.platform_api.replace(":", ":x", 2).replace(":x", ":", 1))
    assert wrong.mqtt_url
    with pytest.raises(BrokerAwayError, match="refused"):
        await Hearing(wrong.mqtt_url, lambda _: None).run(lambda: None)
