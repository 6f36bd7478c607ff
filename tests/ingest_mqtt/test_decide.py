import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ingest_mqtt.decide import decide
from ingest_mqtt.effects import Received
from ingest_mqtt.lots import Committed, LotState, Registry
from ingest_mqtt.publish import ack_payload
from sql.lot_states import fitted
from tests.ingest_mqtt.builders import (
    AT,
    BAYS,
    CAPACITY,
    message,
    results,
    run,
    snapshot,
    space_events,
)


def observed(ahead: timedelta, **fields: Any) -> Received:
    """A count observed so far ahead of the platform's clock."""
    return message("gates", "count", free=1, observed_at=(AT + ahead).isoformat(), **fields)


def test_a_lot_never_heard_of_is_unknown_but_for_the_bays_named() -> None:
    outcome = run(message("bays", "spaces", occupied=[1], free=[2, 3]))
    state = outcome.states["bays"]
    assert (state.occupied, state.unknown) == (0b1, 0b1111_1111_1000)
    assert (state.free_spaces, state.free_by_class) == (2, (1, 0, 1, 0))
    assert space_events(outcome) == [
        ("bays", 2, "free", AT, AT),
        ("bays", 3, "free", AT, AT),
        ("bays", 1, "occupied", AT, AT),
    ]


def test_changes_apply_on_top_of_a_snapshot_in_one_batch() -> None:
    outcome = run(
        snapshot(0b1111),
        message("bays", "spaces", seq=2, free=[1], unknown=[2], occupied=[12]),
    )
    state = outcome.states["bays"]
    assert (state.occupied, state.unknown) == (0b1000_0000_1100, 0b10)
    assert (state.free_spaces, outcome.observations) == (8, CAPACITY + 3)
    assert results(outcome) == ["applied", "applied"]


def test_equal_is_a_duplicate_and_below_is_superseded_whether_applied_or_not() -> None:
    outcome = run(snapshot(1, seq=5), snapshot(3, seq=5), snapshot(3, seq=4), snapshot(3, epoch=99))
    assert results(outcome) == ["applied", "duplicate", "superseded", "superseded"]
    assert outcome.states["bays"].occupied == 1
    # A new epoch starts its numbering again.
    assert results(run(snapshot(1, seq=5), snapshot(3, epoch=101, seq=1))) == ["applied"] * 2


def test_committed_state_decides_as_the_batch_does() -> None:
    state = run(snapshot(1, seq=5)).states["bays"]
    committed = {"bays": Committed(state, 1, AT)}
    outcome = run(snapshot(3, seq=5), committed=committed)
    assert (results(outcome), outcome.states) == (["duplicate"], {})


def test_count_lots() -> None:
    outcome = run(message("gates", "count", free=7), message("gates", "count", seq=2, free=6))
    state = outcome.states["gates"]
    assert (state.free_spaces, state.capacity, state.free_by_class) == (6, 50, None)
    assert [event[1] for event in outcome.count_events] == [7, 6]
    in_service = run(message("gates", "count", free=7, capacity=20)).states["gates"]
    assert in_service.capacity == 20


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (message("nowhere", "count", free=1), "unknown_lot"),
        (message("bays", "spaces", "gw-none", free=[1]), "unknown_gateway"),
        (message("bays", "spaces", "gw-b", free=[1]), "foreign_lot"),
        (message("bays", "count", free=1), "wrong_kind"),
        (message("gates", "spaces", free=[1]), "wrong_kind"),
        (message("bays", "spaces", free=[13]), "out_of_range"),
        (message("bays", "snapshot", capacity=13, occupied_bits="AAA="), "capacity_mismatch"),
        (message("gates", "count", free=51), "out_of_range"),
        (message("gates", "count", free=1, capacity=51), "out_of_range"),
        (message("gates", "count", free=1, epoch=int(AT.timestamp()) + 86_401), "epoch_ahead"),
        (observed(timedelta(seconds=301)), "observed_ahead"),
        (
            message("gates", "count", free=1, observed_at="9999-12-31T23:59:59-12:00"),
            "observed_ahead",
        ),
    ],
)
def test_a_bad_message_is_kept_and_does_not_stop_the_next(bad: Received, reason: str) -> None:
    good = message("bays", "spaces", free=[1])
    outcome = run(bad, good)
    assert results(outcome) == [reason, "applied"]
    assert (outcome.acks[0].result, outcome.acks[0].seq) == ("rejected", 1)
    assert [letter.message for letter in outcome.dead_letters] == [bad]


def test_an_epoch_of_tomorrow_is_still_believed() -> None:
    ahead = int(AT.timestamp()) + 86_400
    assert results(run(message("gates", "count", free=1, epoch=ahead))) == ["applied"]


def test_acks_say_how_old_a_report_was_and_what_was_applied_last() -> None:
    outcome = run(
        observed(timedelta(minutes=5), seq=1),
        observed(timedelta(minutes=-2), seq=7),
        observed(timedelta(0), seq=7),
        observed(timedelta(0), seq=3),
    )
    assert results(outcome) == ["applied", "applied", "duplicate", "superseded"]
    assert [ack.age_s for ack in outcome.acks] == [0.0, 120.0, None, None]
    assert [ack.last for ack in outcome.acks] == [None, None, None, (100, 7)]
    told = [json.loads(ack_payload(ack, AT)) for ack in outcome.acks]
    assert {one["at"] for one in told} == {"2026-11-22T01:30:00+00:00"}
    assert told[3]["last"] == {"epoch": 100, "seq": 7}
    assert [sorted(one) for one in told] == [
        ["age_s", "at", "epoch", "result", "seq"],
        ["age_s", "at", "epoch", "result", "seq"],
        ["at", "epoch", "result", "seq"],
        ["at", "epoch", "last", "result", "seq"],
    ]


@pytest.mark.parametrize("lot", ["", "Großer Markt", "x" * 40_000, "$lot", "a b"])
def test_a_lot_of_any_name_has_its_ack(lot: str) -> None:
    outcome = run(message(lot, "count", free=1))
    assert results(outcome) == ["unknown_lot"]
    assert outcome.acks[0].topic.ack_topic == f"onelot/v1/acks/gw-a/{lot}"
    assert lot == "" or lot not in str(outcome.acks[0].detail)


def test_status_is_a_hint_without_an_ack() -> None:
    topic = "onelot/v1/feeds/gw-a/bays/status"
    outcome = run(Received(topic, b'{"status": "online"}', AT))
    assert (outcome.statuses, outcome.acks, outcome.states) == (1, [], {})
    assert results(run(Received(topic, b"{}", AT))) == ["invalid"]


def test_a_grown_lot_has_unknown_bays_until_they_are_reported() -> None:
    small = LotState(100, 1, 4, 3, 0, 0b1, 0, (1, 0, 2, 0), AT, AT, AT)
    outcome = run(
        message("bays", "spaces", seq=2, occupied=[2]), committed={"bays": Committed(small, 1, AT)}
    )
    state = outcome.states["bays"]
    assert (state.occupied, state.unknown, state.free_spaces) == (0b11, 0b1111_1111_0000, 2)


def test_a_snapshot_of_fewer_bays_applies_and_leaves_the_rest_unknown() -> None:
    outcome = run(
        snapshot(0), message("bays", "snapshot", seq=2, capacity=10, occupied_bits="AQA=")
    )
    state = outcome.states["bays"]
    assert (state.occupied, state.unknown) == (0b1, 0b1100_0000_0000)
    assert (state.free_spaces, outcome.acks[1].result) == (9, "applied")


reports = st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(0, 2**CAPACITY - 1)),
    min_size=1,
    max_size=12,
    unique_by=lambda report: report[:2],
)


@given(reports=reports, data=st.data())
def test_absolute_reports_in_any_order_and_number_end_in_the_newest(
    reports: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    again = data.draw(st.permutations(reports * 2))
    cut = data.draw(st.integers(0, len(again)))
    sent = [snapshot(bits, epoch=epoch, seq=seq) for epoch, seq, bits in again]
    first = run(*sent[:cut])
    committed = {"bays": Committed(first.states["bays"], 1, AT)} if first.states else {}
    second = run(*sent[cut:], committed=committed)
    state = (first.states | second.states)["bays"]
    assert (*state.order, state.occupied) == max(reports)
    assert len(first.acks) + len(second.acks) == len(sent)
    # History tells of each change once, so it leads from unknown to the final state.
    walked = dict.fromkeys(range(1, CAPACITY + 1), "unknown")
    for _, number, what, *_ in space_events(first) + space_events(second):
        assert walked[number] != what
        walked[number] = what
    assert state.free_spaces == sum(what == "free" for what in walked.values())


def test_a_late_clock_of_the_device_changes_no_order() -> None:
    early = (AT - timedelta(days=400)).isoformat()
    outcome = run(snapshot(1), snapshot(3, seq=2, observed_at=early))
    assert outcome.states["bays"].occupied == 3


def test_what_was_applied_before_a_lot_shrank_is_a_duplicate_still() -> None:
    before = run(message("bays", "spaces", occupied=[12])).states["bays"]
    small = Registry({"bays": replace(BAYS, capacity=5)}, {"gw-a": "op-a"})
    known = {"bays": Committed(fitted(small.lots["bays"], before), 1, AT)}
    again = message("bays", "spaces", occupied=[12])
    older = message("bays", "spaces", occupied=[12], epoch=99)
    newer = message("bays", "spaces", occupied=[12], seq=2)
    outcome = decide([again, older, newer], small, known)
    assert results(outcome) == ["duplicate", "superseded", "out_of_range"]
