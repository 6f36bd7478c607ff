"""The outbox: numbers, back-off, acks; and that lost messages always heal."""

import itertools
import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.feeds import (
    RETRY_MAX_S,
    RETRY_MIN_S,
    Ack,
    Number,
    Report,
    parse_ack,
    snapshot_report,
    spaces_report,
)
from simulators.outbox import (
    ACK_TIMEOUT_MAX_S,
    ACK_TIMEOUT_S,
    EPOCH_AHEAD_MAX_S,
    IN_FLIGHT_MAX,
    JITTER,
    WAITING_MAX,
    Message,
    Outbox,
)
from tests.simulators.platform_double import Feed, Rules, bays_of

NOW = "2026-11-22T09:30:00+08:00"
EPOCH = 1_764_000_000
LATE_S = ACK_TIMEOUT_S * (1 + JITTER)


@dataclass
class Bench:
    """A lot of some bays, its outbox, and a clock to turn."""

    bays: int = 10
    window: int = IN_FLIGHT_MAX
    merging: bool = True
    epochs: list[int] = field(default_factory=lambda: [EPOCH])
    now_s: float = 1_000.0

    def __post_init__(self) -> None:
        self.state = np.zeros(self.bays, np.bool_)
        self.outbox = Outbox(
            lambda: self.epochs[-1],
            self.whole,
            random.Random(1),
            window=self.window,
            merging=self.merging,
        )

    def whole(self) -> Report:
        return snapshot_report(NOW, self.state)

    def change(self, bay: int = 0) -> None:
        self.state[bay] = not self.state[bay]
        occupied, free = ([bay + 1], []) if self.state[bay] else ([], [bay + 1])
        self.outbox.add(spaces_report(NOW, occupied, free))

    def due(self) -> list[Message]:
        return self.outbox.due(self.now_s)

    def seqs(self) -> list[int]:
        return [message.seq for message in self.due()]

    def ack(self, seq: int, result: str = "applied", retry_s: float = 0.0) -> bool:
        ack = Ack(self.outbox.epoch, seq, result, retry_s=retry_s)
        return self.outbox.settle(ack, self.now_s)


def connected(**options: bool | int) -> Bench:
    """Give a bench whose first whole state is applied."""
    bench = Bench(**options)  # type: ignore[arg-type]
    bench.outbox.reconnected()
    assert bench.seqs() == [1]
    assert bench.ack(1)
    return bench


def test_messages_are_numbered_from_one_in_their_order() -> None:
    bench = Bench()
    bench.change(3)
    bench.change(4)
    first, second = bench.due()
    assert orjson.loads(first.payload) == {
        "epoch": EPOCH,
        "seq": 1,
        "observed_at": NOW,
        "occupied": [4],
        "free": [],
    }
    assert (second.epoch, second.seq, second.kind) == (EPOCH, 2, "spaces")
    assert bench.due() == []


def test_at_most_sixteen_in_flight() -> None:
    bench = Bench()
    for _ in range(20):
        bench.change()
    assert bench.seqs() == list(range(1, IN_FLIGHT_MAX + 1))
    assert bench.outbox.has_waiting
    assert not bench.outbox.has_room
    assert bench.ack(5)
    assert bench.seqs() == [17]
    assert bench.outbox.in_flight == IN_FLIGHT_MAX


@pytest.mark.parametrize("result", ["applied", "duplicate", "rejected"])
def test_settled_messages_are_dropped(result: str) -> None:
    bench = Bench()
    bench.change()
    assert bench.seqs() == [1]
    assert bench.ack(1, result)
    assert len(bench.outbox) == 0
    assert bench.outbox.next_due_s() is None
    assert not bench.ack(1, result), "a second ack answers nothing"


def test_superseded_sends_the_whole_state_under_a_new_number() -> None:
    bench = Bench()
    bench.change()
    bench.change()
    assert bench.seqs() == [1, 2]
    bench.ack(2)
    bench.ack(1, "superseded")
    (message,) = bench.due()
    assert (message.kind, message.seq) == ("snapshot", 3)


def test_superseded_below_a_newer_whole_state_needs_no_other() -> None:
    bench = Bench()
    bench.change()
    bench.outbox.add_whole_state()
    assert bench.seqs() == [1, 2]
    bench.ack(2)
    bench.ack(1, "superseded")
    assert bench.due() == []


def test_a_refused_whole_state_heals_nothing() -> None:
    bench = Bench()
    bench.change()
    bench.outbox.add_whole_state()
    assert bench.seqs() == [1, 2]
    bench.ack(2, "rejected")
    bench.ack(1, "superseded")
    assert [message.kind for message in bench.due()] == ["snapshot"]


def test_time_out_sends_again_with_the_whole_state_and_backs_off() -> None:
    bench = Bench()
    bench.change()
    assert bench.seqs() == [1]
    bench.now_s += ACK_TIMEOUT_S - 0.1
    assert bench.due() == [], "never before 30 s"
    bench.now_s += LATE_S - ACK_TIMEOUT_S + 0.2
    again, whole = bench.due()
    assert (again.seq, whole.seq, whole.kind) == (1, 2, "snapshot")
    bench.now_s += 2 * ACK_TIMEOUT_S - 0.1
    assert bench.due() == [], "the wait has doubled"


def test_waits_double_up_to_ten_minutes_and_whole_states_stay_few() -> None:
    bench = Bench()
    bench.change()
    bench.due()
    began_s = bench.now_s
    sendings = 0
    while bench.now_s < began_s + 4 * 3_600:
        due_s = bench.outbox.next_due_s()
        assert due_s is not None
        assert due_s - bench.now_s <= ACK_TIMEOUT_MAX_S * (1 + JITTER)
        bench.now_s = due_s
        sendings += len(bench.due())
    assert bench.outbox.in_flight <= IN_FLIGHT_MAX
    assert sendings < 4 * 6 * 2 * IN_FLIGHT_MAX


def test_reconnect_sends_everything_in_flight_again_and_then_the_whole_state() -> None:
    bench = Bench()
    bench.change()
    bench.change()
    assert bench.seqs() == [1, 2]
    bench.change()
    bench.outbox.reconnected()
    assert bench.seqs() == [1, 2, 3, 4]
    bench.outbox.reconnected()
    assert [message.kind for message in bench.due()][-2:] == ["snapshot", "snapshot"]


def test_first_connection_begins_with_the_whole_state() -> None:
    bench = Bench()
    bench.outbox.reconnected()
    assert [message.kind for message in bench.due()] == ["snapshot"]


def test_deferred_holds_the_lot_and_goes_again_under_its_number() -> None:
    bench = Bench()
    bench.change()
    assert bench.seqs() == [1]
    bench.ack(1, "deferred", retry_s=5.0)
    bench.change()
    assert bench.due() == []
    assert bench.outbox.next_due_s() == bench.now_s + 5.0
    bench.now_s += 5.0
    assert bench.seqs() == [1, 2], "no whole state: nothing was lost"


@pytest.mark.parametrize(("told", "kept"), [(0.0, RETRY_MIN_S), (1e9, RETRY_MAX_S)])
def test_a_retry_is_bounded(told: float, kept: float) -> None:
    bench = Bench()
    bench.change()
    assert bench.seqs() == [1]
    bench.ack(1, "deferred", retry_s=told)
    assert bench.outbox.next_due_s() == bench.now_s + kept


def test_bays_that_are_not_believed_are_told_again_as_a_snapshot() -> None:
    bench = connected()
    bench.change()
    assert bench.seqs() == [2]
    bench.ack(2, "quarantined")
    (message,) = bench.due()
    assert (message.kind, message.seq) == ("snapshot", 3)
    bench.ack(3, "quarantined")
    assert bench.due() == [], "that would not be believed again"


def test_changes_that_wait_are_merged_while_connected() -> None:
    bench = connected(window=2)
    for bay in (0, 1, 2, 3, 3, 4):
        bench.change(bay)
        bench.due()
    assert (bench.outbox.in_flight, len(bench.outbox)) == (2, 3)
    bench.ack(2)
    (message,) = bench.due()
    told = orjson.loads(message.payload)
    assert (message.seq, told["occupied"], told["free"]) == (4, [3, 5], [4])


def test_a_change_behind_a_waiting_whole_state_makes_a_newer_one() -> None:
    bench = connected(window=1)
    bench.change(0)
    assert bench.seqs() == [2]
    bench.outbox.add_whole_state()
    bench.change(1)
    bench.ack(2)
    (message,) = bench.due()
    assert bays_of(orjson.loads(message.payload)) == {
        n + 1: bool(taken) for n, taken in enumerate(bench.state)
    }
    assert len(bench.outbox) == 1


def test_changes_keep_apart_while_the_link_is_away() -> None:
    bench = connected(window=2)
    bench.outbox.disconnected()
    for bay in range(4):
        bench.change(bay)
    bench.outbox.reconnected()
    kinds = []
    for seq in range(2, 7):
        kinds += [message.kind for message in bench.due()]
        bench.ack(seq)
    assert kinds == ["spaces"] * 4 + ["snapshot"]


def test_too_many_waiting_give_way_to_the_whole_state() -> None:
    bench = Bench()
    for _ in range(IN_FLIGHT_MAX):
        bench.change()
    bench.due()
    for _ in range(WAITING_MAX + 1):
        bench.change(1)
    assert len(bench.outbox) == IN_FLIGHT_MAX + 1
    for seq in range(1, IN_FLIGHT_MAX + 1):
        bench.ack(seq)
    (message,) = bench.due()
    assert (message.kind, message.seq) == ("snapshot", IN_FLIGHT_MAX + 1)


def test_without_a_bound_all_wait() -> None:
    bench = connected(merging=False)
    for _ in range(200):
        bench.change()
    assert len(bench.outbox) == 200


def test_a_numbering_below_the_platforms_is_begun_anew_with_growing_waits() -> None:
    bench = Bench()
    waits_s = []
    bench.change()
    for _ in range(4):
        messages = bench.due()
        assert bench.outbox.settle(
            Ack(messages[-1].epoch, messages[-1].seq, "superseded"), bench.now_s
        )
        due_s = bench.outbox.next_due_s()
        assert due_s is not None
        waits_s.append(due_s - bench.now_s)
        bench.now_s = due_s
    bench.epochs.append(EPOCH + 3_600)
    assert waits_s[0] >= 1
    assert all(later >= 1.5 * sooner for sooner, later in itertools.pairwise(waits_s))
    assert bench.outbox.epoch == EPOCH + 4, "rises even while the clock stands"
    (message,) = bench.due()
    bench.outbox.settle(Ack(message.epoch, message.seq, "superseded"), bench.now_s)
    assert bench.outbox.epoch == EPOCH + 3_600, "and follows the clock"


def test_a_numbering_is_begun_above_the_platforms_last() -> None:
    bench = connected()
    bench.change()
    assert bench.seqs() == [2]
    last = Number(EPOCH + 100, 7)
    bench.outbox.settle(Ack(EPOCH, 2, "superseded", last=last), bench.now_s)
    bench.now_s += 2.0
    (message,) = bench.due()
    assert (message.kind, message.epoch, message.seq) == ("snapshot", EPOCH + 101, 1)


def test_an_epoch_never_goes_a_day_ahead() -> None:
    bench = connected()
    bench.change()
    assert bench.seqs() == [2]
    last = Number(EPOCH + EPOCH_AHEAD_MAX_S, 7)
    bench.outbox.settle(Ack(EPOCH, 2, "superseded", last=last), bench.now_s)
    bench.now_s += 2.0
    (message,) = bench.due()
    assert (message.kind, message.epoch, message.seq) == ("snapshot", last.epoch, 8)


def test_superseded_by_ones_own_last_message_begins_nothing_anew() -> None:
    bench = connected()
    bench.change(0)
    assert bench.seqs() == [2]
    bench.change(1)
    assert bench.seqs() == [3]
    bench.ack(3)
    bench.outbox.settle(Ack(EPOCH, 2, "superseded", last=Number(EPOCH, 3)), bench.now_s)
    (message,) = bench.due()
    assert (message.kind, message.epoch, message.seq) == ("snapshot", EPOCH, 4)


def test_superseded_by_ones_own_whole_state_is_healed() -> None:
    bench = connected()
    bench.change(0)
    bench.outbox.due(bench.now_s)
    bench.outbox.add_whole_state()
    assert bench.seqs() == [3]
    bench.ack(3)
    bench.outbox.settle(Ack(EPOCH, 2, "superseded", last=Number(EPOCH, 3)), bench.now_s)
    assert bench.due() == []


@pytest.mark.parametrize("registered", [8, 12])
def test_a_lot_registered_with_another_capacity_goes_on(registered: int) -> None:
    bench = Bench()
    rules = Rules()
    rules.capacities["lot"] = registered
    bench.outbox.reconnected()
    results = []
    for bay in (9, 0, 3):
        for message in bench.due():
            feed = Feed("gw", "lot", message.kind, orjson.loads(message.payload))
            ack = rules.take(feed)
            results.append(ack["result"])
            bench.outbox.settle(parsed(ack), bench.now_s)
        assert len(bench.outbox) == 0
        bench.change(bay)
    too_large = ["rejected", "rejected", "applied"]
    assert results == (too_large if registered < bench.bays else ["applied"] * 3)


def parsed(ack: dict[str, Any]) -> Ack:
    """Read an ack as it would come over the wire."""
    read = parse_ack(orjson.dumps(ack))
    assert read is not None
    return read


def test_nothing_is_sent_whole_while_nothing_is_known() -> None:
    outbox = Outbox(lambda: EPOCH, lambda: None, random.Random(1))
    outbox.reconnected()
    assert outbox.due(0.0) == []


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.integers(0, 9)),
        st.tuples(st.just("pass"), st.sampled_from([1, 31, 400])),
        st.tuples(st.just("deliver"), st.integers(0, 7)),
        st.tuples(st.just("reconnect"), st.just(0)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=60,
)


class LossyLink:
    """A bench and a platform with a link that loses messages and acks, by a number's bits."""

    def __init__(self, *, defers: bool, window: int) -> None:
        self.bench = Bench(window=window)
        self.rules = Rules()
        self.defers = defers
        self.numbers: set[tuple[int, int]] = set()
        self.bench.outbox.reconnected()

    def deliver(self, fate: int) -> None:
        """Send what is due; fate 1 loses the messages, 2 the acks, 4 reverses the order."""
        messages = self.bench.due()
        self.numbers |= {(message.epoch, message.seq) for message in messages}
        assert self.bench.outbox.in_flight <= IN_FLIGHT_MAX
        for message in reversed(messages) if fate & 4 else messages:
            if fate & 1:
                continue
            body = orjson.loads(message.payload)
            if self.defers and message.seq % 5 == 0 and fate:
                ack = Ack(message.epoch, message.seq, "deferred", retry_s=3.0)
            else:
                ack = parsed(self.rules.take(Feed("gw", "lot", message.kind, body)))
            if not fate & 2:
                self.bench.outbox.settle(ack, self.bench.now_s)

    def step(self, name: str, value: int) -> None:
        if name == "change":
            self.bench.change(value)
        elif name == "pass":
            self.bench.now_s += value
        elif name == "deliver":
            self.deliver(value)
        elif name == "reconnect":
            self.bench.outbox.disconnected()
            self.bench.outbox.reconnected()
        else:
            self.rules.lots["lot"].last = (EPOCH + 2, 10**6)  # applied in an earlier life

    def drain(self) -> None:
        for _ in range(100):
            if not len(self.bench.outbox):
                return
            due_s = self.bench.outbox.next_due_s()
            assert due_s is not None, "something is kept and nothing will ever be sent"
            self.bench.now_s = max(self.bench.now_s, due_s)
            self.deliver(0)
        raise AssertionError("the outbox never empties")


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, defers=st.booleans(), window=st.sampled_from([1, 4, IN_FLIGHT_MAX]))
def test_whatever_is_lost_heals(
    steps: list[tuple[str, int]],
    defers: bool,  # noqa: FBT001 - hypothesis gives it by name
    window: int,
) -> None:
    link = LossyLink(defers=defers, window=window)
    for name, value in steps:
        link.step(name, value)
    link.drain()
    kept = link.rules.lots["lot"].occupied
    assert kept == {n + 1: bool(taken) for n, taken in enumerate(link.bench.state)}
    by_epoch: dict[int, list[int]] = {}
    for epoch, seq in sorted(link.numbers):
        by_epoch.setdefault(epoch, []).append(seq)
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in by_epoch.values())
