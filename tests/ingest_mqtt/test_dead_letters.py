"""Refused messages in the database: once each, masked, within a quota, for a time."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from ingest_mqtt import dead_letters
from ingest_mqtt.copying import space_rows
from ingest_mqtt.dead_letters import expire
from ingest_mqtt.decide import decide
from ingest_mqtt.effects import Received
from ingest_mqtt.store import commit
from sql.engine import Db, Transaction
from tests.ingest_mqtt.builders import AT, message
from tests.ingest_mqtt.parts import KEY, keeper

PLATE = "鲁B12345"


def bad(seq: int, gateway: str = "gw-a", **fields: Any) -> Received:
    return message("gates", "count", gateway, seq=seq, free=99, **fields)


async def test_a_refused_message_is_kept_once_and_counted(db: Db) -> None:
    box = await keeper(db)
    one = bad(1)
    assert await box.refuse([one, bad(2), one]) == {"first": 2, "repeat": 1}
    later = Received(one.topic, one.payload, AT + timedelta(hours=2))
    assert await box.refuse([later, one]) == {"repeat": 2}
    row = await db.fetchrow("SELECT * FROM dead_letter WHERE seq = 1")
    assert row is not None
    digest = hmac.digest(KEY, one.topic.encode() + b"\0" + one.payload, hashlib.sha256)
    assert dict(row) | {"detail": "", "dead_letter_id": 0} == {
        "dead_letter_id": 0,
        "digest": digest,
        "topic": one.topic,
        "gateway_id": "gw-a",
        "lot_id": "gates",
        "epoch": 100,
        "seq": 1,
        "reason": "out_of_range",
        "detail": "",
        "payload": json.dumps(json.loads(one.payload), separators=(",", ":")),
        "whole": True,
        "payload_bytes": len(one.payload),
        "fault_at": None,
        "times": 4,
        "received_at": AT,
        "last_received_at": AT + timedelta(hours=2),
        "replay_requested_at": None,
        "replayed_at": None,
        "replay_result": None,
    }


async def test_no_plate_stays_anywhere_in_the_table(db: Db) -> None:
    box = await keeper(db)
    plate = PLATE.encode()
    feeds = "onelot/v1/feeds/gw-a"
    await box.refuse(
        [
            message("gates", "count", free=PLATE),
            message("gates", "count", free=1, plate=PLATE),
            message("gates", "count", gateway="gw-a", free=1, **{PLATE: 1}),
            message("gates", "count", free=1, observed_at=PLATE),
            message("bays", "snapshot", capacity=12, occupied_bits=PLATE),
            Received(f"{feeds}/gates/count", b'{"name": "' + plate, AT),
            Received(f"{feeds}/gates/count", b'["' + plate + b'"]', AT),
            Received(f"{feeds}/gates/{PLATE}", b"{}", AT),
            Received(f"{feeds}/{PLATE}/count", b"{}", AT),
            message("b12345", "count", free=1),
            message("gates", "count", "gw-b12345", free=1),
            message("gates", "b12345", free=1),
            Received(f"{feeds}/gates/status", b'{"status": "' + plate + b'"}', AT),
        ]
    )
    rows = await db.fetch("SELECT * FROM dead_letter")
    assert len(rows) == 13
    for row in rows:
        shown = " ".join(str(value) for name, value in row.items() if name != "digest")
        assert "12345" not in shown, dict(row)


async def test_what_the_database_cannot_hold_is_no_part_of_it(db: Db) -> None:
    box = await keeper(db)
    topic = "onelot/v1/feeds/gw-a/bays/spaces"
    nul = Received(topic, b'{"epoch": 1, "seq": 1, "\\u0000": 1, "x": "\\ud800\\u0000"}', AT)
    strange = Received("onelot/v1/feeds/gw-a/a\udc80b/spaces", b"\0\xff", AT)
    assert await box.refuse([nul, strange]) == {"first": 2}


async def test_a_gateway_fills_its_own_quota_of_a_day_alone(db: Db) -> None:
    box = await keeper(db, quota=3)
    assert await box.refuse([bad(seq) for seq in range(1, 6)]) == {"first": 3, "over_quota": 2}
    assert await box.refuse([bad(5), bad(1), bad(5)]) == {"over_quota": 2, "repeat": 1}
    assert await box.refuse([bad(1, "gw-b")]) == {"first": 1}
    # A restart does not begin it anew, midnight does.
    box = await keeper(db, quota=3)
    assert await box.refuse([bad(6)]) == {"over_quota": 1}
    midnight = AT + timedelta(days=1)
    tomorrow = [Received(one.topic, one.payload, midnight) for one in (bad(7), bad(8))]
    assert await box.refuse(tomorrow) == {"first": 2}
    late = Received(bad(9).topic, bad(9).payload, AT)
    assert await box.refuse([late, bad(10)]) == {"first": 1, "over_quota": 1}
    assert await db.fetchval("SELECT count(*) FROM dead_letter") == 3 + 1 + 3


async def test_all_strangers_share_one_quota(db: Db) -> None:
    box = await keeper(db, quota=3)
    strangers = [bad(seq, f"gw-{seq}") for seq in range(1, 6)]
    assert await box.refuse(strangers) == {"first": 3, "over_quota": 2}
    box = await keeper(db, quota=3)
    assert await box.refuse([bad(1, "gw-x")]) == {"over_quota": 1}
    assert await box.refuse([bad(1)]) == {"first": 1}


async def test_a_transaction_that_fails_uses_up_no_quota(db: Db) -> None:
    box = await keeper(db, quota=1)
    outcome = decide([bad(1)], box.registry, {})
    outcome.space_events.append(space_rows("ba\0ys", [("free", 1)], AT, AT))

    async def keep(db: Transaction) -> None:
        await box.box.keep(db, outcome.dead_letters, box.registry)

    with pytest.raises(asyncpg.PostgresError):
        await commit(db, outcome, {}, keep)
    assert await box.refuse([bad(1)]) == {"first": 1}


async def test_hints_are_kept_but_are_no_reports(db: Db) -> None:
    box = await keeper(db)
    hint = Received("onelot/v1/feeds/gw-a/gates/status", b"?", AT)
    assert await box.refuse([hint, hint]) == {}
    assert await db.fetchval("SELECT times FROM dead_letter") == 2


async def test_the_digest_says_nothing_without_the_key(db: Db) -> None:
    box = await keeper(db)
    one = bad(1)
    await box.refuse([one])
    digest = await db.fetchval("SELECT digest FROM dead_letter")
    guess = one.topic.encode() + b"\0" + one.payload
    assert digest != hashlib.sha256(guess).digest()
    assert digest != hmac.digest(b"another key", guess, hashlib.sha256)


async def test_what_is_too_old_is_deleted_a_few_at_a_time(
    db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "_EXPIRE_AT_ONCE", 4)
    box = await keeper(db)
    await box.refuse([bad(seq) for seq in range(1, 7)])
    last = Received(bad(7).topic, bad(7).payload, AT + timedelta(days=1))
    await box.refuse([last])
    month = timedelta(days=30)
    assert not await expire(db, AT + month, month)
    now = AT + month + timedelta(hours=1)
    left = []
    for _ in range(2):
        more = await expire(db, now, month)
        left.append((more, await db.fetchval("SELECT count(*) FROM dead_letter")))
    assert left == [(True, 3), (False, 1)]
