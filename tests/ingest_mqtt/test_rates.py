"""How much a gateway may send; a clock that the tests turn."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_mqtt.lots import GatewaySize, Lot, Registry
from ingest_mqtt.rates import Deferred, Dropped, Limiter, Rates

RATES = Rates()
LOTS = {f"lot-{number}": Lot(f"lot-{number}", "op-a", "bays", 100, 900) for number in range(30)} | {
    "foreign": Lot("foreign", "op-b", "bays", 8, 900),
    "gates": Lot("gates", "op-b", "count", 50, 900),
}
OBSERVED = {"observed_at": "2026-11-22T09:30:00+08:00"}
SNAPSHOT = {**OBSERVED, "capacity": 8, "occupied_bits": "AA=="}
COUNT = {**OBSERVED, "free": 3}
REGISTRY = Registry(
    LOTS,
    {"gw-a": "op-a", "gw-b": "op-b", "gw-spare": "op-a"},
    {"gw-a": GatewaySize(30, 3000), "gw-b": GatewaySize(1, 8)},
)
Verdict = Deferred | Dropped | None


def limiter(rates: Rates = RATES) -> Limiter:
    return Limiter(rates)


def topic(gateway: str, lot: str, kind: str = "spaces") -> str:
    return f"onelot/v1/feeds/{gateway}/{lot}/{kind}"


def body(seq: int, epoch: int = 7, **fields: Any) -> bytes:
    return json.dumps({"epoch": epoch, "seq": seq, **fields}).encode()


def burst(made: Limiter, number: int, now_s: float, gateway: str = "gw-b") -> list[Verdict]:
    """Counts of the same lot: whole states, so that none waits for another."""
    return [
        made.judge(REGISTRY, topic(gateway, "foreign", "count"), body(seq), now_s)
        for seq in range(1, number + 1)
    ]


def test_any_gateway_may_send_twenty_a_second_and_a_hundred_at_once() -> None:
    for gateway in ("gw-b", "gw-spare", "nobody"):
        made = limiter()
        assert burst(made, 100, 0.0, gateway) == [None] * 100
        assert burst(made, 1, 0.0, gateway) == [Deferred(7, 1, 3)]
        for second in range(1, 60):
            verdicts = burst(made, 21, float(second), gateway)
            assert verdicts[:20] == [None] * 20
            assert isinstance(verdicts[20], Deferred)


def test_a_reconnect_is_never_deferred() -> None:
    """Every lot's whole state at once, then 16 messages of each, all as long as honest ones are."""
    made, frame = limiter(), "x" * 300
    for lot in range(30):
        whole = body(1, note=frame + "x" * 7 * 100)[: 300 + 700]
        assert made.judge(REGISTRY, topic("gw-a", f"lot-{lot}", "snapshot"), whole, 5.0) is None
    for seq in range(2, 18):
        for lot in range(30):
            assert made.judge(REGISTRY, topic("gw-a", f"lot-{lot}"), body(seq), 5.0) is None


def test_bytes_have_a_rate_of_their_own() -> None:
    made = limiter()
    large = body(1, note="x" * 60_000)
    verdicts = [
        made.judge(REGISTRY, topic("gw-b", "foreign", "count"), large, 0.0) for _ in range(20)
    ]
    # A hundred messages' worth of 8 KiB each is there: 13 of 60 kB.
    assert verdicts == [None] * 13 + [Deferred(7, 1, 3)] * 7
    assert made.judge(REGISTRY, topic("gw-b", "foreign", "count"), body(2), 0.0) is None


def test_what_is_larger_than_a_whole_burst_passes_where_the_burst_is_whole() -> None:
    made = limiter(Rates.model_construct(message_bytes=100.0))
    large = body(1, note="x" * 12_000)
    assert made.judge(REGISTRY, topic("gw-b", "foreign", "count"), large, 0.0) is None
    assert made.judge(REGISTRY, topic("gw-b", "foreign", "count"), large, 4.9) == Deferred(7, 1, 3)
    assert made.judge(REGISTRY, topic("gw-b", "foreign", "count"), large, 5.0) is None


def test_ten_times_over_is_dropped_unparsed() -> None:
    made = limiter()
    verdicts = burst(made, 1100, 0.0)
    assert [type(verdict) for verdict in verdicts] == (
        [type(None)] * 100 + [Deferred] * 900 + [Dropped] * 100
    )
    garbage = [made.judge(REGISTRY, topic("gw-b", "foreign"), b"[", 0.0) for _ in range(3)]
    assert garbage == [Dropped()] * 3
    assert burst(made, 201, 1.0)[20:] == [Deferred(7, seq, 3) for seq in range(21, 201)] + [
        Dropped()
    ]


def test_one_gateway_costs_no_other_anything() -> None:
    made = limiter()
    burst(made, 5000, 0.0)
    burst(made, 5000, 0.0, "nobody")
    assert burst(made, 100, 0.0, "gw-spare") == [None] * 100


def test_what_cannot_be_read_is_refused_rather_than_deferred() -> None:
    made = limiter()
    burst(made, 100, 0.0)
    for payload in (b"", b"[", b"{}", b'{"epoch":"x","seq":1}', b'{"epoch":1,"seq":0}', b"\xff"):
        assert made.judge(REGISTRY, topic("gw-b", "foreign"), payload, 0.0) is None
    # Nobody could be told: it is no feed's topic.
    assert made.judge(REGISTRY, "onelot/v1/feeds/gw-b", body(1), 0.0) is None
    assert made.judge(REGISTRY, topic("gw-b", "foreign", "spaces/more"), body(1), 0.0) is None


def over(made: Limiter, now_s: float = 0.0) -> None:
    """Use up all that gateway `gw-b` may send at once."""
    assert burst(made, 100, now_s) == [None] * 100


def judged(made: Limiter, seq: int, now_s: float, kind: str = "spaces") -> Verdict:
    return made.judge(REGISTRY, topic("gw-b", "foreign", kind), body(seq), now_s)


def test_what_follows_a_deferred_message_is_deferred_until_it_comes() -> None:
    made = limiter()
    over(made)
    assert judged(made, 5, 0.0) == Deferred(7, 5, 3)
    # There would be room for these, but they must not overtake it.
    assert judged(made, 6, 1.0) == Deferred(7, 6, 3)
    assert judged(made, 7, 2.0) == Deferred(7, 7, 3)
    assert judged(made, 4, 2.0) is None
    assert judged(made, 5, 3.0) is None
    assert [judged(made, 6, 3.0), judged(made, 7, 3.0)] == [None, None]


@pytest.mark.parametrize(
    ("lot", "kind", "fields", "ends"),
    [
        ("foreign", "snapshot", SNAPSHOT, True),
        ("foreign", "snapshot", {**SNAPSHOT, "epoch": 6}, False),
        ("foreign", "snapshot", {}, False),
        ("foreign", "snapshot", {**SNAPSHOT, "capacity": 9, "occupied_bits": "AAA="}, False),
        ("foreign", "count", COUNT, False),
        ("gates", "count", COUNT, True),
        ("gates", "count", {**COUNT, "free": 51}, False),
        ("gates", "snapshot", SNAPSHOT, False),
    ],
)
def test_a_whole_state_that_applies_ends_the_wait_and_nothing_else(
    lot: str,
    kind: str,
    fields: dict[str, Any],
    ends: bool,  # noqa: FBT001
) -> None:
    made = limiter()
    over(made)
    assert made.judge(REGISTRY, topic("gw-b", lot), body(5), 0.0) == Deferred(7, 5, 3)
    whole = body(**{"seq": 8, **fields})
    assert made.judge(REGISTRY, topic("gw-b", lot, kind), whole, 1.0) is None
    follows = made.judge(REGISTRY, topic("gw-b", lot), body(9), 1.0)
    assert follows == (None if ends else Deferred(7, 9, 3))


def test_the_wait_ends_by_itself_after_twice_the_time() -> None:
    made = limiter()
    over(made)
    judged(made, 5, 0.0)
    assert judged(made, 6, 5.9) == Deferred(7, 6, 3)
    assert judged(made, 7, 6.0) is None


def test_a_message_deferred_again_is_waited_for_again() -> None:
    made = limiter()
    over(made)
    judged(made, 5, 0.0)
    # The rate is used up once more by what cannot be read as whole states.
    assert burst(made, 100, 4.0)[:80] == [None] * 80
    assert judged(made, 5, 4.0) == Deferred(7, 5, 3)
    assert judged(made, 6, 9.9) == Deferred(7, 6, 3)
    assert judged(made, 6, 10.0) is None


def test_a_new_epoch_begins_with_a_whole_state() -> None:
    made = limiter()
    over(made)
    judged(made, 5, 0.0)
    later = made.judge(REGISTRY, topic("gw-b", "foreign"), body(1, epoch=8), 1.0)
    assert later == Deferred(8, 1, 3)
    whole = body(1, epoch=8, **SNAPSHOT)
    assert made.judge(REGISTRY, topic("gw-b", "foreign", "snapshot"), whole, 1.0) is None
    assert made.judge(REGISTRY, topic("gw-b", "foreign"), body(2, epoch=8), 1.0) is None


def test_lots_wait_apart() -> None:
    made = limiter(Rates.model_construct(lot_messages_per_s=0.0, lot_burst=0.0))
    for seq in range(100):
        made.judge(REGISTRY, topic("gw-a", "lot-1"), body(seq + 1), 0.0)
    assert isinstance(made.judge(REGISTRY, topic("gw-a", "lot-1"), body(101), 0.0), Deferred)
    assert made.judge(REGISTRY, topic("gw-a", "lot-2"), body(1), 1.0) is None
    assert isinstance(made.judge(REGISTRY, topic("gw-a", "lot-1"), body(102), 1.0), Deferred)


def test_a_gateway_that_may_not_report_for_a_lot_holds_up_nobody() -> None:
    made = limiter()
    for seq in range(1, 2000):
        made.judge(REGISTRY, topic("gw-spare", "foreign"), body(seq), 0.0)
        made.judge(REGISTRY, topic("nobody", "foreign"), body(seq), 0.0)
    assert judged(made, 5000, 0.0) is None


def test_what_is_remembered_is_bounded_by_what_is_registered() -> None:
    made = limiter(Rates.model_construct(lot_messages_per_s=0.0, lot_burst=0.0))
    for number in range(5000):
        made.judge(REGISTRY, topic(f"gw-{number}", f"lot-{number}"), body(1), 0.0)
        made.judge(REGISTRY, topic("gw-a", f"invented-{number}"), body(1), 0.0)
        made.judge(REGISTRY, topic("gw-a", f"lot-{number}"), body(1), number / 1000)
        made.judge(REGISTRY, f"onelot/v1/feeds/{number}", b"", 0.0)
    assert len(made._allowances) + len(made._awaited) <= 1 + 30
    made.judge(Registry(), "", b"", 0.0)
    assert len(made._allowances) + len(made._awaited) == 0


def test_a_larger_registration_is_followed_and_gives_nothing_back() -> None:
    made = limiter()
    over(made)
    more = replace(REGISTRY, sizes={"gw-b": GatewaySize(10, 1000)})
    made.judge(more, "", b"", 0.0)
    burst_of_more = [
        made.judge(more, topic("gw-b", "foreign", "count"), body(seq), 0.0) for seq in range(1, 302)
    ]
    assert burst_of_more == [None] * 300 + [Deferred(7, 301, 4)]
    assert isinstance(burst(made, 1, 0.0)[0], Deferred)
    assert burst(made, 21, 1.0)[19:] == [None, Deferred(7, 21, 3)]


@given(st.lists(st.floats(-1e9, 1e9), min_size=150, max_size=300))
def test_a_clock_that_steps_back_gives_nothing_and_takes_nothing(times: list[float]) -> None:
    made = limiter(Rates(gateway_messages_per_s=20.0, gateway_burst=100.0))
    passed, newest = 0, times[0]
    for seq, now_s in enumerate(times, start=1):
        passed += judged(made, seq, now_s, "count") is None
        newest = max(newest, now_s)
        assert passed <= 100 + 20 * (newest - times[0]) + 1e-6 * abs(newest)
