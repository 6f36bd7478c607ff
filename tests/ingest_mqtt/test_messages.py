import json
from typing import Any

import pytest

from ingest_mqtt.messages import (
    MAX_PAYLOAD_BYTES,
    CountReport,
    RejectionError,
    SnapshotReport,
    SpacesReport,
    parse_report,
    parse_status,
)
from ingest_mqtt.wire import FeedTopic
from tests.ingest_mqtt.builders import bits

HEAD = {"epoch": 1764000000, "seq": 41, "observed_at": "2026-11-22T09:30:00+08:00"}


def payload(**fields: Any) -> bytes:
    return json.dumps({**HEAD, **fields}).encode()


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
    ["onelot/v1/feeds/gw/lot", "onelot/v1/feeds/gw/a/b/spaces", "onelot/v1/acks/gw/lot/spaces"],
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


FREE = payload(free=[1])


@pytest.mark.parametrize(
    "message",
    [
        b"[",
        b'{"epoch":"x",',
        b'{"name":"caf\xe9',
        b"[" * 60_000,
        b'{"a":' * 10_000,
        FREE + FREE,
        FREE + b"\0",
        b"\xef\xbb\xbf" + FREE,
        FREE[:-1] + b',"unknown":[NaN]}',
        FREE[:-1] + b',"unknown":[-Infinity]}',
        FREE[:-1] + b',"\\ud800":1}',
        FREE[:-1] + b',"\xed\xa0\x80":1}',
        FREE.replace(b"2026-11", b"\\udfff"),
        FREE.decode().encode("utf-16"),
        *(FREE[:length] for length in range(len(FREE))),
    ],
)
def test_what_breaks_in_syntax_is_malformed_whatever_broke_first(message: bytes) -> None:
    rejection = refused("spaces", message)
    assert (rejection.reason, rejection.epoch, rejection.seq) == ("malformed", None, None)
    with pytest.raises(RejectionError):
        parse_status(message)


@pytest.mark.parametrize(
    ("message", "numbers"),
    [
        (FREE[:-1] + b',"free":[2]}', (1764000000, 41)),
        (FREE[:-1] + b',"fr\\u0065e":[2]}', (1764000000, 41)),
        (FREE[:-1] + b',"seq":42}', (1764000000, None)),
        (b'{"epoch":"x",' + FREE[1:], (None, 41)),
        (FREE.replace(b"1764000000", b"9" * 5000), (None, 41)),
        (FREE.replace(b"1764000000", b"-0"), (0, 41)),
    ],
)
def test_a_field_given_twice_or_too_long_is_not_guessed_at(
    message: bytes, numbers: tuple[int | None, int | None]
) -> None:
    if numbers[0] == 0:
        assert parse_report("spaces", message).epoch == 0
        return
    rejection = refused("spaces", message)
    assert (rejection.reason, rejection.epoch, rejection.seq) == ("invalid", *numbers)


def test_a_status_given_twice_is_refused() -> None:
    with pytest.raises(RejectionError, match="twice"):
        parse_status(b'{"status": "online", "status": "offline"}')


@pytest.mark.parametrize(
    "instant",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "1999-12-31T23:59:59.999999Z",
        "2000-01-01T00:00:00+00:01",
    ],
)
def test_nothing_was_observed_before_2000(instant: str) -> None:
    rejection = refused("spaces", payload(free=[1], observed_at=instant))
    assert (rejection.reason, rejection.seq) == ("invalid", 41)
    at_last = payload(free=[1], observed_at="1999-12-31T23:00:00-01:00")
    assert parse_report("spaces", at_last).seq == 41


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("spaces", {"free": [1], "鲁B12345": 1}),
        ("spaces", {"free": [1], "observed_at": "鲁B12345"}),
        ("spaces", {"free": ["鲁B12345"]}),
        ("snapshot", {"capacity": 8, "occupied_bits": "鲁B12345"}),
        ("snapshot", {"capacity": 8, "occupied_bits": "B12345=="}),
        ("spaces", {"free": {"鲁B12345": 1}}),
        ("B12345", {"free": {"鲁B12345": 1}}),
    ],
)
def test_a_refusal_says_the_place_and_the_rule_and_quotes_nothing(
    kind: str, fields: dict[str, Any]
) -> None:
    rejection = refused(kind, payload(**fields))
    assert "12345" not in rejection.detail
    assert rejection.detail.isascii()
    assert rejection.detail.isprintable()
    assert 0 < len(rejection.detail) < 100
    assert (rejection.epoch, rejection.seq) == (1764000000, 41)


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
