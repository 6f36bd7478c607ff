"""Mutations of valid messages: none stops anything, each is answered once."""

from random import Random

import pytest

from ingest_mqtt.effects import Received
from ingest_mqtt.lots import Lot, Registry
from load_tests.fuzz_checks import Checked, ack_problem, expects_ack
from load_tests.mutations import HEAVY, KINDS, MUTATIONS, SECRET, kind_for, mutate, valid
from tests.ingest_mqtt.builders import AT
from tests.load_tests.deciding import decided

LOTS = {
    "bays": Lot("bays", "op-a", "bays", 312, 900),
    "gates": Lot("gates", "op-a", "count", 50, 900),
    "other": Lot("other", "op-b", "bays", 8, 900),
}
REGISTRY = Registry(LOTS, {"gw-a": "op-a", "gw-b": "op-b"})
NUMBER = 20_000


def one(number: int) -> tuple[str, Received]:
    """Message `number`: the same in each run."""
    random = Random(number)
    lot = random.choice(("bays", "bays", "gates"))
    kind = kind_for(LOTS[lot].reporting, random)
    sample = valid(
        lot, kind, LOTS[lot].capacity, order=(1_764_000_000, number), at=AT, random=random
    )
    name, broken = mutate(sample, random)
    topic = f"onelot/v1/feeds/gw-a/{broken.lot}/{broken.kind}"
    return name, Received(topic, broken.payload, AT)


def test_twenty_thousand_mutations_are_each_decided_alone() -> None:
    checked, names = Checked(), set()
    for number in range(1, NUMBER + 1):
        name, message = one(number)
        names.update(name.split("+"))
        decided(message, REGISTRY, {}, checked)
    assert checked.problems == {}
    assert names == {name for name, _ in (*MUTATIONS, *HEAVY)}
    # They are no mere noise: each way of ending is met, and good ones are among them.
    for reason, least in {
        "applied": 500,
        "malformed": 5000,
        "invalid": 2000,
        "too_large": 50,
        "unknown_lot": 100,
        "wrong_kind": 10,
        "out_of_range": 10,
    }.items():
        assert checked.results[reason] >= least, (reason, checked.results)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_mutated_is_valid_before(kind: str) -> None:
    lot = "gates" if kind == "count" else "bays"
    for number in range(1, 200):
        checked = Checked()
        sample = valid(
            lot, kind, LOTS[lot].capacity, order=(7, number), at=AT, random=Random(number)
        )
        topic = f"onelot/v1/feeds/gw-a/{lot}/{kind}"
        decided(Received(topic, sample.payload, AT), REGISTRY, {}, checked)
        assert (checked.problems, checked.results["applied"]) == ({}, int(kind != "status"))


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (b'{"epoch":1,"seq":1,"result":"applied"}', None),
        (b'{"epoch":null,"seq":null,"result":"rejected","reason":"malformed","detail":"x"}', None),
        (b'{"epoch":1,"seq":1,"result":"lost"}', "a result 'lost'"),
        (b'{"epoch":1,"seq":1,"result":"rejected","reason":"internal","detail":"x"}',
         "a fault of ours"),
        (b'{"epoch":1,"seq":1,"result":"rejected","reason":"invalid"}',
         "a refusal without its reason"),
        (b'{"epoch":1,"seq":null,"result":"applied"}', "applied without seq"),
        (b'{"epoch":-1,"seq":1,"result":"applied"}', "a wrong epoch"),
        (b'{"epoch":1,"seq":0,"result":"applied"}', "a seq below its least"),
        (b'{"epoch":1,"seq":1,"result":"rejected","reason":"invalid","detail":"no qzx7391"}',
         "an ack quotes"),
    ],
)  # fmt: skip
def test_the_check_of_acks_can_fail(told: bytes, problem: str | None) -> None:
    assert ack_problem(told) == problem


def test_the_check_of_messages_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask that masks nothing is noticed, and so is a fault in the middle of deciding."""
    leaking = Received("onelot/v1/feeds/gw-a/gates/count", f'{{"{SECRET}": 1}}'.encode(), AT)
    checked = Checked()
    monkeypatch.setattr("ingest_mqtt.masking.kinds", lambda text, *_: text)
    decided(leaking, REGISTRY, {}, checked)
    assert list(checked.problems) == ["a dead letter shows what is to be masked"]
    monkeypatch.undo()
    monkeypatch.setattr("ingest_mqtt.decide.parse_report", lambda *_: 1 / 0)
    checked = Checked()
    decided(leaking, REGISTRY, {}, checked)
    assert list(checked.problems) == ["a fault of ours"]


def test_which_messages_are_answered() -> None:
    feed = "onelot/v1/feeds/gw-a/gates"
    assert expects_ack(f"{feed}/count", b"")
    assert expects_ack(f"{feed}/status", b"?")
    assert not expects_ack(f"{feed}/status", b'{"status": "offline"}')
    assert not expects_ack("onelot/v1/feeds/gw-a", b"")
