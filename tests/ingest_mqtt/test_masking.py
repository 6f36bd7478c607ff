"""What a refused message may show."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_mqtt.lots import Lot, Registry
from ingest_mqtt.masking import Masked, kinds, mask_payload, mask_topic
from ingest_mqtt.messages import MAX_PAYLOAD_BYTES, RejectionError, parse_report
from tests.ingest_mqtt.builders import bits

HEAD = {"epoch": 1764000000, "seq": 41, "observed_at": "2026-11-22T09:30:00+08:00"}
PLATE = "鲁B12345"
REGISTRY = Registry({"370202-0001": Lot("370202-0001", "op", "bays", 9, 900)}, {"gw-try": "op"})


def masked(kind: str, **fields: Any) -> Masked:
    return mask_payload(kind, json.dumps({**HEAD, **fields}).encode())


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("spaces", {"occupied": [17, 18], "free": [3], "unknown": []}),
        ("snapshot", {"capacity": 10, "occupied_bits": bits(5, 2), "unknown_bits": bits(2, 0)}),
        ("snapshot", {"capacity": 10, "occupied_bits": bits(5, 2), "unknown_bits": None}),
        ("count", {"free": 7}),
        ("count", {"free": 7, "capacity": 50}),
        ("count", {"free": 7, "capacity": None}),
    ],
)
def test_a_message_that_keeps_the_contract_is_kept_whole(kind: str, fields: dict[str, Any]) -> None:
    one = masked(kind, **fields)
    assert one.is_whole
    assert json.loads(one.text) == {**HEAD, **fields}
    assert parse_report(kind, one.text.encode()) == parse_report(
        kind, json.dumps({**HEAD, **fields}).encode()
    )


def test_what_the_contract_does_not_know_is_masked_names_included() -> None:
    one = masked("spaces", occupied=[1], plate=PLATE, **{PLATE: {"driver": ["Wang"]}, "n": 1.5})
    assert not one.is_whole
    assert json.loads(one.text) == {
        **HEAD,
        "occupied": [1],
        "<1: aaaaa>": "<text of 7: aa99999>",
        "<2: aa99999>": "<object of 1>",
        "<3: a>": "<number>",
    }


@pytest.mark.parametrize(
    ("kind", "name", "value", "shown"),
    [
        ("count", "free", PLATE, "<text of 7: aa99999>"),
        ("count", "free", 1.5, "<number>"),
        ("count", "free", True, True),
        ("count", "free", -1, "<negative integer of 1 bits>"),
        ("count", "free", 10**300, "<number>"),
        ("count", "observed_at", "2026-11-22 plate", "<text of 16: 9999.99.99_aaaaa>"),
        ("count", "observed_at", "2026-11-22T09:30:00", "<text of 19: 9999.99.99a99.99.99>"),
        ("count", "epoch", [PLATE], ["<text of 7: aa99999>", "<1 values>"]),
        ("spaces", "occupied", [1, PLATE, 0], ["<text of 7: aa99999>", "<integer of 0 bits>",
                                               "<3 values>"]),
        ("snapshot", "occupied_bits", "ABC12345", "<text of 8: aaa99999>"),
        ("snapshot", "occupied_bits", PLATE, "<text of 7: aa99999>"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_of_the_contracts_type_is_masked(
    kind: str, name: str, value: object, shown: object
) -> None:
    one = masked(kind, **{"capacity": 8, name: value})
    assert not one.is_whole
    assert json.loads(one.text)[name] == shown


def test_wrong_instants_of_the_right_form_are_kept() -> None:
    one = masked("count", free=1, observed_at="9999-12-31T23:59:59.5-12:00")
    assert (one.is_whole, json.loads(one.text)["observed_at"]) == (
        True,
        "9999-12-31T23:59:59.5-12:00",
    )


@pytest.mark.parametrize(
    ("payload", "text", "fault_at"),
    [
        (b"", "", 0),
        (b"[", "[", 1),
        (b'{"epoch": 17, x', '{"aaaaa":_99,_a', 14),
        (b'{"epoch":"x",', '{"aaaaa":"a",', 13),
        ('{"name": "鲁B1'.encode(), '{"aaaa":_"aa9', 15),
        (b'{"name":"caf\xe9', '{"aaaa":"aaa.', 12),
        (b'{"a": 1} {"b": 2}', '{"a":_9}_{"a":_9}', 10),
        (b'{"a": NaN}', '{"a":_aaa}', 6),
        (b"[" * 5000, "[" * 768 + "…", None),
    ],
)
def test_text_that_is_no_json_leaves_its_form_and_the_place_of_its_fault(
    payload: bytes, text: str, fault_at: int | None
) -> None:
    assert mask_payload("spaces", payload) == Masked(text, is_whole=False, fault_at=fault_at)


def test_a_long_text_is_shown_at_its_beginning_and_at_its_fault() -> None:
    one = mask_payload("spaces", b'{"a": "' + b"x" * 30_000 + b'"; ' + b"9" * 30_000)
    assert one.fault_at == 30_008
    assert one.text == '{"a":_"' + "a" * 249 + "…" + "a" * 255 + '".' + "_" + "9" * 254 + "…"


def test_json_of_another_shape_is_masked() -> None:
    for payload, shown in ((b"[1, 2]", "<list of 2>"), (b'"Wang"', "<text of 4: aaaa>")):
        assert mask_payload("count", payload) == Masked(json.dumps(shown), is_whole=False)


def test_what_is_too_large_is_not_even_parsed() -> None:
    one = mask_payload("count", b'{"free": 1, "x": "' + b"a" * MAX_PAYLOAD_BYTES)
    assert not one.is_whole
    assert one.text == '{"aaaa":_9,_"a":_"' + "a" * (768 - 18) + "…"


def test_many_unknown_fields_are_told_by_their_number() -> None:
    one = masked("count", free=1, **{f"plate{n}": PLATE for n in range(1500)})
    assert len(one.text) < 2000
    assert json.loads(one.text)["<and more>"] == 1500 - 16


SECRET = "Q7XZ"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=8) | st.just(SECRET) | st.sampled_from(
        ["epoch", "seq", "observed_at", "free", "capacity", "occupied", "occupied_bits"]
    ), inner, max_size=6),
    max_leaves=20,
)  # fmt: skip


@given(
    st.sampled_from(["spaces", "snapshot", "count", "status", "other"]),
    JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200),
)
def test_whole_is_what_reads_the_same_again(kind: str, payload: bytes) -> None:
    one = mask_payload(kind, payload)
    assert SECRET not in one.text
    assert "\0" not in one.text
    one.text.encode()
    if one.is_whole:
        assert json.loads(one.text) == json.loads(payload)
    try:
        report = parse_report(kind, payload)
    except RejectionError:
        return
    assert parse_report(kind, one.text.encode()) == report


@pytest.mark.parametrize(
    ("topic", "shown"),
    [
        ("gw-try/370202-0001/spaces", "gw-try/370202-0001/spaces"),
        ("gw-try/b12345/spaces", "gw-try/a99999/spaces"),
        ("gw-wang.1/370202-0001/status", "aa-aaaa.9/370202-0001/status"),
        (f"gw-try/370202-0001/{PLATE}", "gw-try/370202-0001/aa99999"),
        ("gw-try", "gw-try"),
        ("370202-0001/gw-try", "999999-9999/aa-aaa"),
        ("gw-try/" + "x" * 100 + "/count", "gw-try/" + "a" * 64 + "…/count"),
        ("gw-try/" + "a/" * 100, "gw-try/" + "a/" * 7 + "a.a.a.a.a." + "a." * 27 + "…"),
    ],
)
def test_a_topic_names_only_what_is_registered(topic: str, shown: str) -> None:
    whole, gateway, lot = mask_topic(f"onelot/v1/feeds/{topic}", REGISTRY)
    assert whole == f"onelot/v1/feeds/{shown}"
    assert [gateway, lot] == [*shown.split("/"), ""][:2]


def test_kinds_of_characters() -> None:
    assert kinds("aZ鲁é9٣ \u00a0\t-“", 32) == "aaaa99__..."
    assert kinds("abc", 2) == "aa…"
