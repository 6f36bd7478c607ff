"""The JSON Schemas of messages: those in `docs/schema/`, held to the models and to the parser."""

import copy
import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from jsonschema import Draft202012Validator

from ingest_mqtt import schema
from ingest_mqtt.effects import Ack
from ingest_mqtt.lots import Committed, Lot
from ingest_mqtt.messages import RejectionError, parse_report, parse_status
from ingest_mqtt.publish import ack_payload, state_payload
from ingest_mqtt.wire import AckMessage, FeedTopic, Refusal, StateMessage
from sql.lot_states import ReportTimes, counted, sensed

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = schema.schemas()
AT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
EVERY = {"epoch": 1764000000, "seq": 41, "observed_at": "2026-11-22T09:30:00+08:00"}
# Of each kind a message that the contract allows.
VALID: dict[str, dict[str, Any]] = {
    "spaces": {**EVERY, "occupied": [17, 18], "free": [3]},
    "snapshot": {**EVERY, "capacity": 12, "occupied_bits": "/wA=", "unknown_bits": "AA8="},
    "count": {**EVERY, "free": 7, "capacity": 40},
    "status": {"status": "online"},
}
MISSING = object()
# What is put into such a message, at a path, to break it.
BREAKS: list[tuple[str, str, object]] = [
    *((kind, "plate", "B12345") for kind in VALID),
    *((kind, name, MISSING) for kind in ("spaces", "snapshot", "count") for name in EVERY),
    *(("count", "epoch", value) for value in (-1, 2**53 + 1, 1.5, "1", None, True)),
    *(("count", "seq", value) for value in (0, 2**53 + 1, 1.5, "1", None, True)),
    *(
        ("count", "observed_at", value)
        for value in (
            "2026-11-22T09:30:00+0800",
            "2026-11-22T09:30:60+08:00",
            "2026-11-22",
            "2026-11-22T09:30:00",
            "yesterday",
            1764000000,
            None,
        )
    ),
    *(("spaces", "occupied", value) for value in ([0], ["1"], [1.5], 17, None)),
    ("spaces", "unknown", [2**53 + 1]),
    *(("snapshot", "capacity", value) for value in (0, 2**53, "12", None, MISSING)),
    *(("snapshot", "occupied_bits", value) for value in ("", "/wA", "/w-_", 255, None, MISSING)),
    ("snapshot", "unknown_bits", "?"),
    *(("count", "free", value) for value in (-1, 1.5, "7", None, MISSING)),
    *(("count", "capacity", value) for value in (-1, "40")),
    *(("status", "status", value) for value in ("away", None, MISSING)),
]


def accepts(kind: str, message: object) -> bool:
    return Draft202012Validator(SCHEMAS[kind]).is_valid(message)


def is_parsed(kind: str, message: object) -> bool:
    payload = json.dumps(message).encode()
    try:
        if kind == "status":
            parse_status(payload)
        else:
            parse_report(kind, payload)
    except RejectionError:
        return False
    return True


def test_the_files_are_what_the_models_say(tmp_path: Path) -> None:
    schema.main([str(tmp_path)])
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    names = {f"{kind}.json" for kind in SCHEMAS}
    assert written.keys() == names
    assert written == {name: (ROOT / "docs/schema" / name).read_text() for name in names}
    for one in SCHEMAS.values():
        Draft202012Validator.check_schema(one)


@pytest.mark.parametrize("kind", VALID)
def test_what_the_contract_allows_is_taken_by_schema_and_parser(kind: str) -> None:
    assert accepts(kind, VALID[kind])
    assert is_parsed(kind, VALID[kind])


@pytest.mark.parametrize(("kind", "name"), [("snapshot", "unknown_bits"), ("count", "capacity")])
def test_what_is_optional_may_be_absent_or_null(kind: str, name: str) -> None:
    absent = {key: value for key, value in VALID[kind].items() if key != name}
    for message in (absent, absent | {name: None}):
        assert accepts(kind, message)
        assert is_parsed(kind, message)


@pytest.mark.parametrize(("kind", "name", "value"), BREAKS)
def test_what_breaks_the_contract_is_refused_by_both(kind: str, name: str, value: object) -> None:
    message = copy.deepcopy(VALID[kind]) | {name: value}
    if value is MISSING:
        del message[name]
    assert not accepts(kind, message)
    assert not is_parsed(kind, message)


@pytest.mark.parametrize("message", [[], "spaces", None, EVERY, {**EVERY, "occupied": []}])
def test_a_message_of_changes_names_a_bay(message: object) -> None:
    assert not accepts("spaces", message)
    assert not is_parsed("spaces", message)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("spaces", {"free": [17]}),
        ("snapshot", {"capacity": 20}),
        ("snapshot", {"occupied_bits": "/w8="}),
        ("snapshot", {"occupied_bits": "//8="}),
        ("count", {"free": 41}),
        ("count", {"observed_at": "1999-12-31T23:59:59Z"}),
    ],
)
def test_the_parser_knows_more_as_the_descriptions_say(kind: str, change: dict[str, Any]) -> None:
    assert accepts(kind, VALID[kind] | change)
    assert not is_parsed(kind, VALID[kind] | change)


def test_acks_are_as_their_schema_says() -> None:
    topic = FeedTopic("gw-a", "370202-0001", "spaces")
    applied = Ack(topic, "applied", 1, 2, age_s=0.5123)
    told = [
        applied,
        replace(applied, result="duplicate", age_s=None),
        replace(applied, result="superseded", age_s=None, last=(3, 4)),
        replace(applied, result="deferred", age_s=None, retry_s=3),
        Ack(topic, "rejected", None, None, "malformed", "not JSON from character 1 on"),
    ]
    for ack in told:
        payload = ack_payload(ack, AT)
        assert accepts("ack", json.loads(payload))
        assert msgspec.json.encode(msgspec.json.decode(payload, type=AckMessage)) == payload
    assert json.loads(ack_payload(applied, AT)) == {
        "epoch": 1,
        "seq": 2,
        "result": "applied",
        "at": "2026-11-22T01:30:00+00:00",
        "age_s": 0.512,
    }
    for wrong in ({"result": "lost"}, {"reason": "lost"}, {"retry_s": 0}, {"retry_s": 61}):
        assert not accepts("ack", json.loads(ack_payload(applied, AT)) | wrong)


def test_the_reasons_of_a_refusal_are_those_of_the_contract() -> None:
    text = (ROOT / "docs/contract/feeds.md").read_text()
    table = text.partition("| `reason` | what is wrong |")[2].partition("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.count("|") > 2]
    named = {name for cell in rows for name in re.findall(r"`(\w+)`", cell)}
    assert named == set(get_args(Refusal))


def test_an_offset_is_not_taken_for_good_where_it_is_escaped() -> None:
    message = json.dumps(VALID["count"] | {"observed_at": "2026-11-22T09:30:00+0800"})
    for payload in (message, message.replace("+", r"\u002b"), message.replace("_at", r"\u005fat")):
        with pytest.raises(RejectionError, match="RFC3339"):
            parse_report("count", payload.encode())


def test_states_are_as_their_schema_says() -> None:
    times = ReportTimes(AT, AT, AT)
    lot = Lot("370202-0001", "op-a", "bays", 12, 60, class_masks=(0xFFF, 0, 0, 0))
    states = [sensed(lot, (1, 2), 0xFF, 0xF00, times), counted((1, 2), 40, 7, 3, times)]
    for state in [*states, counted((1, 2), 40, 0, 40, times)]:
        payload = state_payload("370202-0001", Committed(state, 7, AT))
        assert accepts("state", json.loads(payload))
        assert msgspec.json.encode(msgspec.json.decode(payload, type=StateMessage)) == payload
    bays, gates = (json.loads(state_payload("a", Committed(one, 7, AT))) for one in states)
    assert bays["version"] == "00000000000000000007"
    assert bays.keys() - gates.keys() == {"occupied_bits", "unknown_bits", "free_by_class"}
    assert not accepts("state", bays | {"version": "7"})


def test_the_wire_is_light_to_import() -> None:
    code = "import sys, ingest_mqtt.wire; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    ours = {name for name in done.stdout.decode().split() if name.startswith(("ingest", "sql"))}
    assert ours == {"ingest_mqtt", "ingest_mqtt.wire"}
    assert not {b"paho", b"asyncpg", b"pydantic", b"numpy"} & set(done.stdout.split())
