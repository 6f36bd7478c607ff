import base64
import json
from typing import Any

import pytest

from ingest_mqtt.messages import (
    MAX_PAYLOAD_BYTES,
    CountReport,
    FeedTopic,
    RejectionError,
    SnapshotReport,
    SpacesReport,
    parse_report,
    parse_status,
)

HEAD = {"epoch": 1764000000, "seq": 41, "observed_at": "2026-11-22T09:30:00+08:00"}


def payload(**fields: Any) -> bytes:
    return json.dumps({**HEAD, **fields}).encode()


def bits(*raw: int) -> str:
    return base64.b64encode(bytes(raw)).decode()


def refused(kind: str, message: bytes) -> RejectionError:
    with pytest.raises(RejectionError) as caught:
        parse_report(kind, message)
    return caught.value


def test_topic_is_taken_apart() -> None:
    topic = FeedTopic.parse("onelot/v1/feeds/gw-try/370202-0001/spaces")
    assert topic == FeedTopic("gw-try", "370202-0001", "spaces")
    assert topic.ack_topic == "onelot/v1/acks/gw-try/370202-0001"


@pytest.mark.parametrize(
    "topic",
    ["onelot/v1/feeds/gw/lot", "onelot/v1/feeds/GW/lot/spaces", "onelot/v1/acks/gw/lot/spaces"],
)
def test_other_topics_are_no_feeds(topic: str) -> None:
    assert FeedTopic.parse(topic) is None


def test_spaces_as_in_the_contract() -> None:
    report = parse_report("spaces", payload(occupied=[17, 18], free=[3]))
    assert isinstance(report, SpacesReport)
    assert (report.epoch, report.seq) == (1764000000, 41)
    assert (report.occupied, report.free, report.unknown) == ((17, 18), (3,), ())
    assert report.observed_at.isoformat() == "2026-11-22T09:30:00+08:00"


def test_snapshot_bits_are_least_significant_first() -> None:
    report = parse_report(
        "snapshot", payload(capacity=10, occupied_bits=bits(0b101, 0b10), unknown_bits=bits(2, 0))
    )
    assert isinstance(report, SnapshotReport)
    # Bays 1, 3 and 10 are occupied, bay 2 is unknown.
    assert report.bitmaps() == (0b10_0000_0101, 0b10)


def test_count_without_capacity() -> None:
    report = parse_report("count", payload(free=7))
    assert isinstance(report, CountReport)
    assert (report.free, report.capacity) == (7, None)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("spaces", {}),
        ("spaces", {"occupied": []}),
        ("spaces", {"occupied": [1], "free": [1]}),
        ("spaces", {"unknown": [0]}),
        ("spaces", {"occupied": ["1"]}),
        ("spaces", {"occupied": [1], "plate": "鲁B12345"}),
        ("spaces", {"occupied": [1], "epoch": -1}),
        ("spaces", {"occupied": [1], "seq": 0}),
        ("spaces", {"occupied": [1], "seq": 2**53 + 1}),
        ("spaces", {"occupied": [1], "seq": True}),
        ("spaces", {"occupied": [1], "observed_at": "2026-11-22T09:30:00"}),
        ("spaces", {"occupied": [1], "observed_at": 1764000000}),
        ("snapshot", {"capacity": 10, "occupied_bits": bits(0)}),
        ("snapshot", {"capacity": 10, "occupied_bits": bits(0, 0b100)}),
        ("snapshot", {"capacity": 10, "occupied_bits": "AA"}),
        ("snapshot", {"capacity": 10, "occupied_bits": "é" * 4}),
        ("snapshot", {"capacity": 10, "occupied_bits": bits(1, 0), "unknown_bits": bits(1, 0)}),
        ("snapshot", {"capacity": 0, "occupied_bits": ""}),
        ("count", {"free": -1}),
        ("count", {"free": 11, "capacity": 10}),
        ("count", {"free": 1.5}),
    ],
)
def test_invalid_reports_name_their_numbers(kind: str, fields: dict[str, Any]) -> None:
    rejection = refused(kind, payload(**fields))
    assert rejection.reason == "invalid"
    assert rejection.epoch == fields.get("epoch", 1764000000) or rejection.epoch is None
    if fields.keys().isdisjoint({"epoch", "seq"}):
        assert (rejection.epoch, rejection.seq) == (1764000000, 41)


@pytest.mark.parametrize("message", [b"", b"{", b"\xff\xfe", b'{"epoch": 1' + b"[" * 5000])
def test_what_is_not_json_is_malformed(message: bytes) -> None:
    rejection = refused("spaces", message)
    assert (rejection.reason, rejection.epoch, rejection.seq) == ("malformed", None, None)


@pytest.mark.parametrize("message", [b"null", b"[1, 2]", b"7"])
def test_json_of_another_shape_is_invalid(message: bytes) -> None:
    rejection = refused("count", message)
    assert (rejection.reason, rejection.epoch) == ("invalid", None)


def test_size_and_kind() -> None:
    assert refused("spaces", b" " * (MAX_PAYLOAD_BYTES + 1)).reason == "too_large"
    assert refused("plates", payload(free=[1])).reason == "unknown_kind"


def test_status_is_online_or_offline() -> None:
    assert parse_status(b'{"status": "offline"}').status == "offline"
    for message in (b'{"status": "away"}', b'{"status": 1}', b"", b'{"status":"online","x":1}'):
        with pytest.raises(RejectionError):
            parse_status(message)
