import json
from random import Random

import numpy as np
import pytest

from ingest_mqtt.wire import FeedTopic
from load_tests.feeding import MOST_IN_FLIGHT, GatewayFeed, Message
from tests.load_tests.builders import BAYS, GATES


@pytest.fixture
def feed() -> GatewayFeed:
    return GatewayFeed("gw-a", [BAYS, GATES], epoch=100, random=Random(1))


def ack(message: Message, result: str = "applied") -> tuple[str, bytes]:
    body = json.loads(message.payload)
    lot = message.topic.split("/")[4]
    answer = {"epoch": body["epoch"], "seq": body["seq"], "result": result, "reason": "why"}
    return f"onelot/v1/acks/gw-a/{lot}", json.dumps(answer).encode()


def taken(message: Message | None) -> Message:
    assert message is not None
    return message


def test_messages_are_as_the_contract_has_them(feed: GatewayFeed) -> None:
    opening = list(feed.opening(lambda: 0.0))
    assert [message.topic.split("/")[-1] for message in opening] == ["snapshot", "count"]
    for message in [*opening, taken(feed.change(3, 1.0)), taken(feed.count(1.0))]:
        assert FeedTopic.parse(message.topic) is not None


def test_every_bay_that_is_named_changes(feed: GatewayFeed) -> None:
    bits = json.loads(next(feed.opening(lambda: 0.0)).payload)["occupied_bits"]
    assert bits
    for _ in range(10):
        before = [feed.is_occupied(BAYS.lot_id, bay) for bay in range(1, 5)]
        body = json.loads(taken(feed.change(2, 1.0)).payload)
        after = [feed.is_occupied(BAYS.lot_id, bay) for bay in range(1, 5)]
        changed = {bay for bay in range(1, 5) if before[bay - 1] != after[bay - 1]}
        assert changed == set(body["occupied"]) | set(body["free"])
        assert len(changed) == 2
        assert all(after[bay - 1] for bay in body["occupied"])
        assert feed.free_spaces(BAYS.lot_id) == after.count(False)


def test_an_ack_settles_its_message_once(feed: GatewayFeed) -> None:
    message = taken(feed.change(2, 1.0))
    settled = feed.settle(*ack(message), now_s=1.25)
    assert settled is not None
    assert (settled.latency_s, settled.problem, settled.sent.observations) == (0.25, None, 2)
    assert feed.settle(*ack(message), now_s=1.5) is None
    assert feed.in_flight == 0


def test_anything_but_applied_is_a_problem(feed: GatewayFeed) -> None:
    settled = feed.settle(*ack(taken(feed.change(2, 1.0)), "superseded"), now_s=2.0)
    assert settled is not None
    assert settled.problem == "ack says superseded: why"


def test_acks_of_others_change_nothing(feed: GatewayFeed) -> None:
    message = taken(feed.change(2, 1.0))
    topic, payload = ack(message)
    assert feed.settle("onelot/v1/acks/gw-a/elsewhere", payload, 2.0) is None
    assert feed.settle(topic, payload.replace(b"100", b"99"), 2.0) is None
    assert feed.settle(topic, b"{}", 2.0) is None
    assert feed.in_flight == 1


def test_no_lot_has_more_in_flight_than_the_contract_allows(feed: GatewayFeed) -> None:
    messages = [feed.change(1, 0.0) for _ in range(MOST_IN_FLIGHT + 3)]
    assert sum(message is not None for message in messages) == MOST_IN_FLIGHT
    assert len(feed.abandon()) == MOST_IN_FLIGHT
    assert feed.change(1, 0.0) is not None


def test_each_run_starts_from_the_same_bays() -> None:
    first, second = (GatewayFeed("g", [BAYS], epoch, Random(epoch)) for epoch in (1, 2))
    bays = range(1, BAYS.capacity + 1)
    assert np.array_equal(
        [first.is_occupied(BAYS.lot_id, bay) for bay in bays],
        [second.is_occupied(BAYS.lot_id, bay) for bay in bays],
    )
