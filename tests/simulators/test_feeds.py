"""Messages and acks, as docs/contract/feeds.md writes them."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import orjson
import pytest

from simulators import feeds

NOW = "2026-11-22T09:30:00+08:00"


def test_snapshot_bits_are_least_significant_first() -> None:
    occupied = np.zeros(11, np.bool_)
    occupied[[0, 3, 9]] = True
    body = orjson.loads(feeds.snapshot_report(NOW, occupied).encode(5, 6))
    assert base64.b64decode(body.pop("occupied_bits")) == bytes([0b00001001, 0b00000010])
    assert body == {"epoch": 5, "seq": 6, "observed_at": NOW, "capacity": 11}


@pytest.mark.parametrize(
    ("capacity", "fields"), [(None, {"free": 3}), (9, {"free": 3, "capacity": 9})]
)
def test_count_leaves_out_an_unknown_capacity(capacity: int | None, fields: dict[str, int]) -> None:
    report = feeds.count_report(NOW, 3, capacity)
    assert report.fields == fields
    assert report.is_whole_state


def test_the_largest_snapshot_stays_far_below_the_limit() -> None:
    report = feeds.snapshot_report(NOW, np.ones(20_000, np.bool_))
    assert len(report.encode(2**53, 2**53)) < 4_000


def test_times_carry_their_offset() -> None:
    east = timezone(timedelta(hours=8))
    assert feeds.rfc3339(datetime(2026, 11, 22, 9, 30, tzinfo=east)) == NOW
    late = datetime(2026, 11, 22, 9, 30, 0, 120_999, tzinfo=UTC)
    assert feeds.rfc3339(late) == "2026-11-22T09:30:00.120+00:00"


def test_topics() -> None:
    assert feeds.feed_topic("gw-1", "lot-1", "spaces") == "onelot/v1/feeds/gw-1/lot-1/spaces"
    assert feeds.ack_filter("gw-1") == "onelot/v1/acks/gw-1/+"
    assert feeds.lot_of_ack("onelot/v1/acks/gw-1/lot-1") == "lot-1"


def test_acks_are_read() -> None:
    payload = b'{"epoch": 5, "seq": 6, "result": "deferred", "retry_s": 2.5, "more": 1}'
    assert feeds.parse_ack(payload) == feeds.Ack(5, 6, "deferred", None, 2.5)
    payload = b'{"epoch": 5, "seq": 6, "result": "rejected", "reason": "capacity"}'
    assert feeds.parse_ack(payload) == feeds.Ack(5, 6, "rejected", "capacity")
    payload = b'{"epoch": 5, "seq": 6, "result": "superseded", "last": {"epoch": 7, "seq": 8}}'
    assert feeds.parse_ack(payload) == feeds.Ack(5, 6, "superseded", last=feeds.Number(7, 8))


def test_an_ack_may_leave_open_what_it_answers() -> None:
    ack = feeds.parse_ack(
        b'{"epoch": null, "seq": null, "result": "rejected", "reason": "malformed"}'
    )
    assert ack == feeds.Ack(None, None, "rejected", "malformed")
    assert ack.number is None


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[1]",
        b"3",
        b'{"epoch": 1, "result": "applied"}',
        b'{"epoch": 1e999, "seq": 1, "result": "applied"}',
        b'{"epoch": 1, "seq": 1, "result": "deferred", "retry_s": "nan"}',
        b'{"epoch": 1, "seq": 1, "result": "superseded", "last": [1, 2]}',
        b'{"epoch": 1, "seq": 1, "result": "applied", "more": ' + b"[" * 100_000,
        b'{"epoch": 1, "seq": 1, "result": "deferred", "retry_s": "soon"}',
    ],
)
def test_what_answers_nothing_is_no_ack(payload: bytes) -> None:
    assert feeds.parse_ack(payload) is None


def spaces(occupied: list[int], free: list[int], at: str = NOW) -> feeds.Report:
    return feeds.spaces_report(at, occupied, free)


def test_merged_changes_leave_what_the_newer_one_says() -> None:
    later = "2026-11-22T09:31:00+08:00"
    merged = feeds.merge(spaces([1, 2], [3]), spaces([3], [2, 5], later))
    assert merged == spaces([1, 3], [2, 5], later)


def test_a_whole_state_stands_for_what_was_before_it() -> None:
    whole = feeds.snapshot_report(NOW, np.ones(9, np.bool_))
    assert feeds.merge(spaces([1], []), whole) == whole
    assert feeds.merge(whole, spaces([], [1])) is None, "only a newer whole state can say it"
    count = feeds.count_report(NOW, 3, None)
    assert feeds.merge(feeds.count_report(NOW, 4, None), count) == count


def test_too_many_changes_are_no_message() -> None:
    half = feeds.CHANGES_MAX // 2
    first, second = list(range(half)), list(range(half, 2 * half + 1))
    assert feeds.merge(spaces(first, []), spaces([], second)) is None
