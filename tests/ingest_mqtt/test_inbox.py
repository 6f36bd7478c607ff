from datetime import timedelta

import pytest

from ingest_mqtt import inbox as boxing
from ingest_mqtt.effects import Received
from ingest_mqtt.inbox import Inbox
from tests.ingest_mqtt.builders import AT


def one(qos: int, connection: int = 1, size: int = 10) -> Received:
    topic = "onelot/v1/feeds/gw-a/bays/spaces"
    return Received(topic, b"x" * size, AT, mid=qos, connection=connection, qos=qos)


def test_each_quality_of_service_has_its_own_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxing, "MOST_QOS_0", 2)
    monkeypatch.setattr(boxing, "MOST_QOS_1", 3)
    monkeypatch.setattr(boxing, "MOST_QOS_1_BYTES", 25)
    box = Inbox(100)
    assert [box.put(one(0)) for _ in range(3)] == [True, True, False]
    fullness = []
    for size in (10, 10, 10, 1):
        # What has been read has its place: the link reads no more.
        assert box.put(one(1, size=size))
        fullness.append(box.is_full)
    assert fullness == [False, False, True, True]
    taken = box.take()
    assert box.is_full
    box.done(taken)
    assert (len(box), box.reports, box.is_full) == (0, 0, False)
    for _ in range(3):
        box.put(one(1, size=1))
    assert box.is_full


def test_a_new_connection_brings_again_what_was_not_confirmed() -> None:
    box = Inbox(2)
    for message in (one(1), one(0), one(1), one(1, connection=2)):
        box.put(message)
    taken = box.take()
    box.put_back(taken)
    assert box.forget_earlier(2) == 2
    left = box.take()
    assert [(m.qos, m.connection) for m in left] == [(0, 1), (1, 2)]
    assert box.reports == 2


def test_after_a_wrong_clock_all_counts_as_received_now() -> None:
    box = Inbox(2)
    box.put(one(1))
    box.restamp(AT + timedelta(hours=1))
    assert [m.received_at for m in box.take()] == [AT + timedelta(hours=1)]


def test_a_batch_is_bounded_in_bytes() -> None:
    box = Inbox(100)
    for _ in range(3):
        box.put(one(1, size=boxing.BATCH_BYTES // 2))
    assert [len(box.take()), len(box.take())] == [2, 1]
