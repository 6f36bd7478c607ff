"""When many share a fault it is the platform's: messages wait. One operator cannot cause it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from ingest_mqtt import decide as deciding
from ingest_mqtt.breaker import Breaker, StoppedError
from ingest_mqtt.copying import space_rows
from ingest_mqtt.dead_letters import DeadLetters, Kept
from ingest_mqtt.effects import Ack, DeadLetter, Outcome, Received
from ingest_mqtt.messages import RejectionError
from ingest_mqtt.wire import FeedTopic, Refusal
from ingest_mqtt.writer import Writer
from sql.engine import Db
from tests.ingest_mqtt.builders import AT, at, message
from tests.ingest_mqtt.parts import open_writer

# Four operators of four gateways each: gw-a1 to gw-d4.
OPERATORS = {f"gw-{o}{n}": f"op-{o}" for o in "abcd" for n in range(1, 5)}


def refused(reason: Refusal, *gateways: str) -> Outcome:
    letters = [
        DeadLetter(message("bays", "spaces", name), name, "bays", RejectionError(reason, ""))
        for name in gateways
    ]
    return Outcome(dead_letters=letters)


def stops(breaker: Breaker, outcomes: Iterable[tuple[float, Outcome]]) -> str | None:
    try:
        for now_s, outcome in outcomes:
            breaker.check(outcome, OPERATORS, now_s)
    except StoppedError as stop:
        return stop.reason
    return None


@pytest.mark.parametrize(
    ("reason", "gateways", "stopped"),
    [
        ("internal", ["gw-a1", "gw-a2", "gw-b1"], None),
        ("internal", ["gw-a1", "gw-a2", "gw-b1", "gw-b2"], "internal"),
        ("internal", ["gw-a1", "gw-a2", "gw-a3", "gw-a4"], None),
        ("internal", ["gw-a1", "gw-b1", "gw-x1", "gw-x2", "gw-x3"], None),
        ("observed_ahead", ["gw-a1", "gw-b1"], None),
        ("observed_ahead", ["gw-a1", "gw-a2", "gw-a3", "gw-b1"], None),
        ("observed_ahead", ["gw-a1", "gw-b1", "gw-c1"], "clock"),
        # An epoch is a number, not a clock.
        ("epoch_ahead", ["gw-a1", "gw-b1", "gw-c1"], None),
        ("observed_ahead", ["gw-a1", "gw-x1", "gw-y1", "gw-z1"], None),
        ("invalid", list(OPERATORS), None),
    ],
)
def test_who_can_stop_the_city(reason: Refusal, gateways: list[str], stopped: str | None) -> None:
    at_once = [(0.0, refused(reason, *gateways))]
    one_by_one = [(float(n), refused(reason, name)) for n, name in enumerate(gateways)]
    assert stops(Breaker(), at_once) == stopped
    assert stops(Breaker(), one_by_one) == stopped


def test_faults_that_are_a_minute_apart_do_not_add_up() -> None:
    names = ["gw-a1", "gw-b1", "gw-c1", "gw-d1"]
    slowly = [(n * 61.0, refused("internal", name)) for n, name in enumerate(names)]
    assert stops(Breaker(), slowly) is None


def test_while_stopped_for_a_bug_no_further_gateway_loses_a_message() -> None:
    breaker = Breaker()
    assert stops(breaker, [(0, refused("internal", "gw-a1", "gw-b1", "gw-c1", "gw-d1"))])
    assert stops(breaker, [(3600, refused("internal", "gw-a1"))]) == "internal"
    assert stops(breaker, [(3660, Outcome())]) is None
    breaker.stopped = None
    assert stops(breaker, [(3661, refused("internal", "gw-a1"))]) is None


def test_one_operator_that_stays_ahead_does_not_keep_the_city_stopped() -> None:
    breaker = Breaker()
    assert stops(breaker, [(0, refused("observed_ahead", "gw-a1", "gw-b1", "gw-c1"))]) == "clock"
    assert stops(breaker, [(5, refused("observed_ahead", "gw-a1", "gw-b1", "gw-d1"))]) == "clock"
    assert stops(breaker, [(10, refused("observed_ahead", "gw-a1"))]) is None


def test_clocks_that_are_ahead_stop_nobody_while_as_many_are_in_time() -> None:
    three = refused("observed_ahead", "gw-a1", "gw-b1", "gw-c1")
    ack = Ack(FeedTopic("gw-d1", "bays", "spaces"), "applied", 1, 1, age_s=2.0)
    others = {f"gw-e{n}": f"op-e{n}" for n in range(3)}
    in_time = [ack] + [replace(ack, topic=replace(ack.topic, gateway_id=name)) for name in others]
    breaker, operators = Breaker(), OPERATORS | others
    breaker.check(replace(three, acks=in_time), operators, 0.0)
    breaker.check(three, operators, 30.0)
    assert breaker.stopped is None
    # Those who were in time before the first was ahead say nothing of the clock since.
    breaker = Breaker()
    breaker.check(Outcome(acks=in_time), operators, 0.0)
    with pytest.raises(StoppedError):
        breaker.check(three, operators, 1.0)
    # It starts again once others are heard, whatever those three still say.
    breaker.check(replace(three, acks=in_time), operators, 2.0)


async def test_a_city_of_one_operator_can_stop_too() -> None:
    breaker = Breaker()
    with pytest.raises(StoppedError):
        breaker.check(
            refused("internal", "gw-a1", "gw-a2", "gw-a3", "gw-a4"),
            dict.fromkeys(OPERATORS, "op-a"),
            0.0,
        )


@pytest.fixture
async def writer(db: Db, database_url: str) -> AsyncIterator[Writer]:
    """A writer on a city with two gateways more of each operator."""
    await db.execute(
        "INSERT INTO gateway (gateway_id, operator_id)"
        " SELECT 'gw-' || o || n, 'op-' || o"
        " FROM unnest('{a,b}'::text[]) AS o, generate_series(2, 3) AS n"
    )
    async with open_writer(database_url, lambda: AT) as made:
        yield made


def poison(monkeypatch: pytest.MonkeyPatch, name: str = "advance") -> None:
    """Make a step fail for every message numbered 13."""
    original = getattr(deciding, name)

    def step(*arguments: Any) -> Any:
        if any(getattr(one, "seq", None) == 13 for one in arguments):
            raise RuntimeError
        return original(*arguments)

    monkeypatch.setattr(deciding, name, step)


def bad(gateway: str) -> Received:
    return message("other" if "-b" in gateway else "bays", "spaces", gateway, free=[1], seq=13)


async def test_a_bug_that_many_gateways_meet_empties_no_outbox(
    writer: Writer, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch)
    good = message("gates", "count", free=7)
    batch = [good, *(bad(name) for name in ("gw-a", "gw-a2", "gw-b", "gw-b2"))]
    stopped = await writer.write(batch)
    assert (stopped.stopped, stopped.left, stopped.outcomes) == ("internal", batch, [])
    assert await db.fetchval("SELECT stopped FROM ingester_status") == "internal"
    assert await db.fetchval("SELECT count(*) FROM dead_letter") == 0
    # Still the same fault: not even one more is refused.
    assert (await writer.write(batch[:2])).left == batch[:2]
    monkeypatch.undo()
    resumed = await writer.write(batch)
    assert (resumed.stopped, resumed.left) == (None, [])
    assert resumed.outcomes[0].results == {"applied": 3, "duplicate": 2}
    assert await db.fetchval("SELECT stopped FROM ingester_status") is None


async def test_messages_that_cannot_be_stored_hold_up_no_other_and_reload_nothing(
    writer: Writer, db: Db, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await asyncpg.connect(owner_url)
    await owner.execute("ALTER TABLE count_event ADD CHECK (free_spaces <> 13)")
    await owner.close()

    async def no_sleep(_: float) -> None:
        pytest.fail("it waited")

    monkeypatch.setattr(asyncio, "sleep", no_sleep)
    batch = []
    for seq in range(1, 401):
        free = 13 if seq % 2 else 7
        batch.append(message("gates", "count", free=free, seq=seq))
        batch.append(message("bays", "spaces", free=[1], seq=seq))
    # Tracebacks with every local value, as the tests show them, would take minutes.
    with capture_logs():
        written = await writer.write(batch)
    results = sum((Counter(one.results) for one in written.outcomes), start=Counter[str]())
    assert results == {"applied": 600, "rejected": 200}
    assert [ack.seq for one in written.outcomes for ack in one.acks] == [
        seq for seq in range(1, 401) for _ in "ab"
    ]
    assert writer.openings == 1
    assert await db.fetchval("SELECT sum(times) FROM dead_letter WHERE reason = 'internal'") == 200
    assert [tuple(row) for row in await db.fetch("SELECT lot_id, seq FROM lot_state")] == [
        ("bays", 400),
        ("gates", 400),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        [("free", "one")],
        [("\ud800", 1)],
        [("free",)],
        [("vanished", 1)],
        [("\0", 1)],
    ],
    ids=repr,
)
async def test_what_cannot_be_encoded_or_stored_is_refused_without_a_reload(
    writer: Writer, changes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(lot: str, as_decided: Any, *times: Any) -> bytes:
        numbered = times[-1] == at(13)
        return space_rows(lot, changes if numbered else as_decided, *times)

    monkeypatch.setattr(deciding, "space_rows", rows)
    batch = [
        message("bays", "spaces", free=[seq - 11], seq=seq, received_at=at(seq))
        for seq in (12, 13, 14)
    ]
    written = await writer.write(batch)
    assert [ack.reason or ack.result for one in written.outcomes for ack in one.acks] == [
        *("applied", "internal", "applied")
    ]
    assert writer.openings == 1


async def test_a_refusal_that_cannot_be_kept_still_has_its_ack(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def keep(_box: DeadLetters, _db: Db, letters: list[DeadLetter], *_: Any) -> Kept:
        if letters:
            raise ValueError
        return Kept()

    monkeypatch.setattr(DeadLetters, "keep", keep)
    written = await writer.write([message("bays", "spaces", free=[99], seq=13)])
    (outcome,) = written.outcomes
    assert (outcome.acks[0].result, outcome.results) == ("rejected", {"rejected": 1})
    assert sum(outcome.kept.values()) == 1


async def test_a_large_outcome_is_committed_in_parts(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding, "MOST_EVENTS", 3)
    bays: list[dict[str, Any]] = [{"free": [1, 2]}, {"occupied": [1, 2]}]
    batch = [message("bays", "spaces", seq=seq, **bays[seq % 2]) for seq in range(1, 8)]
    written = await writer.write(batch)
    assert [one.messages for one in written.outcomes] == [2, 2, 2, 1]
    assert writer.known.committed["bays"].state.seq == 7
