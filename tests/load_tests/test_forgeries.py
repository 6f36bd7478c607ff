"""Forged publishes and stolen client ids at the broker: none is heard, no session is lost."""

import random
from pathlib import Path

import pytest

from deploy import listeners
from load_tests import forgeries
from load_tests.forgeries import MARK, Door

NUMBER = 400
THEFTS = 40


def heard_of(door: Door, number: int) -> set[str]:
    """Attack; the topics of forgeries that somebody heard."""
    with forgeries.listening(door) as heard:
        forgeries.attack(door, forgeries.forgeries(number, random.Random(1)))
        forgeries.await_that(
            lambda: any(one.topic == forgeries.own_topic() for one in heard), "the good one"
        )
    return {one.topic for one in heard if one.payload == MARK}


def test_no_forgery_is_heard(tmp_path: Path) -> None:
    with forgeries.own_broker(tmp_path / "broker") as door:
        assert heard_of(door, NUMBER) == set()


def test_without_the_rights_they_are_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the attack is one: each topic but $SYS, which is the broker's own."""
    monkeypatch.setattr(forgeries, "acl", lambda _: "pattern readwrite #\n")
    with forgeries.own_broker(tmp_path / "broker") as door:
        found = heard_of(door, NUMBER)
    mine = {topic for topic in forgeries.topics() if topic.startswith(forgeries.ROOT)}
    assert found >= mine


def test_no_session_is_lost_to_a_thief(tmp_path: Path) -> None:
    with forgeries.own_broker(tmp_path / "broker") as door:
        assert forgeries.steal(door, THEFTS, random.Random(1)) == 0


def test_without_the_rule_a_thief_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = listeners.plain
    monkeypatch.setattr(
        listeners,
        "plain",
        lambda *at: plain(*at).replace("use_username_as_clientid true\n", ""),
    )
    with forgeries.own_broker(tmp_path / "broker") as door:
        assert forgeries.steal(door, 1, random.Random(1)) == 1
