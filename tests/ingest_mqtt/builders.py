"""The lots of the ingester's tests, and messages about them."""

import base64
import json
from datetime import UTC, datetime, timedelta
from struct import unpack
from typing import Any

from ingest_mqtt.decide import decide
from ingest_mqtt.effects import Outcome, Received
from ingest_mqtt.lots import Committed, Lot, Registry

AT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)

# Two operators, a gateway each; op-a has a lot of twelve bays and one that counts.
CITY = """
INSERT INTO operator VALUES ('op-a', '甲', 'A'), ('op-b', '乙', 'B');
INSERT INTO gateway (gateway_id, operator_id) VALUES ('gw-a', 'op-a'), ('gw-b', 'op-b');
INSERT INTO lot (
    lot_id, operator_id, gateway_id, name_zh, name_en, lot_type, reporting, report_interval_s,
    capacity, geog
) VALUES
    ('bays', 'op-a', 'gw-a', '位', 'Bays', 'surface', 'bays', 900, 12, 'POINT(120.38 36.06)'),
    ('gates', 'op-a', 'gw-a', '闸', 'Gates', 'surface', 'count', 900, 50, 'POINT(120.39 36.06)'),
    ('other', 'op-b', 'gw-b', '他', 'Other', 'surface', 'bays', 900, 8, 'POINT(120.40 36.06)');
INSERT INTO space
SELECT 'bays', n, 0, CASE WHEN n <= 2 THEN 'ev' ELSE 'standard' END, 'POINT(120.38 36.06)'
FROM generate_series(1, 12) AS n;
"""
CAPACITY = 12
EV = 0b11
BAYS = Lot("bays", "op-a", "bays", CAPACITY, 900, class_masks=((1 << CAPACITY) - 1 & ~EV, 0, EV, 0))
GATES = Lot("gates", "op-a", "count", 50, 900)
REGISTRY = Registry({"bays": BAYS, "gates": GATES}, {"gw-a": "op-a", "gw-b": "op-b"})


def at(seconds: float) -> datetime:
    """So many seconds after `AT`."""
    return AT + timedelta(seconds=seconds)


def message(lot: str, kind: str, gateway: str = "gw-a", **fields: Any) -> Received:
    """A message of a gateway, sent and received at `AT` unless `fields` say otherwise."""
    received_at = fields.pop("received_at", AT)
    body = {"epoch": 100, "seq": 1, "observed_at": received_at.isoformat(), **fields}
    topic = f"onelot/v1/feeds/{gateway}/{lot}/{kind}"
    return Received(topic, json.dumps(body).encode(), received_at)


def snapshot(occupied: int, **fields: Any) -> Received:
    """A snapshot of lot `bays`, from its occupied bays as a bitmap."""
    raw = base64.b64encode(occupied.to_bytes(2, "little")).decode()
    return message("bays", "snapshot", capacity=CAPACITY, occupied_bits=raw, **fields)


def run(*messages: Received, committed: dict[str, Committed] | None = None) -> Outcome:
    """Decide messages as the ingester does."""
    return decide(messages, REGISTRY, committed or {})


def space_events(outcome: Outcome) -> list[tuple[str, int, str, datetime, datetime]]:
    """The rows of `space_event` in an outcome: lot, bay, state, observed and received."""
    rows, rest = [], b"".join(outcome.space_events)
    while rest:
        (fields,), rest = unpack(">h", rest[:2]), rest[2:]
        values = []
        for _ in range(fields):
            (length,) = unpack(">i", rest[:4])
            values.append(rest[4 : 4 + length])
            rest = rest[4 + length :]
        lot, number, state, *times = values
        observed_at, received_at = (
            datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=int.from_bytes(each))
            for each in times
        )
        bay = int.from_bytes(number)
        rows.append((lot.decode(), bay, state.decode(), observed_at, received_at))
    assert len(rows) == outcome.changed_bays
    return rows


def results(outcome: Outcome) -> list[str]:
    """What the messages are acked with, or refused for."""
    return [ack.reason or ack.result for ack in outcome.acks]


def bits(*raw: int) -> str:
    """Bytes as a bitmap stands in a message."""
    return base64.b64encode(bytes(raw)).decode()
