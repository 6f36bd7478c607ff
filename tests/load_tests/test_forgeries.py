"""Forged publishes and stolen client ids at the broker: none is heard, no session is lost."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import listeners
from load_tests import forgeries
from load_tests.forgeries import MARK, WILL_MARK

NUMBER = 400
THEFTS = 40


def tried() -> Iterator[forgeries.Forgery]:
    return forgeries.forgeries(NUMBER, random.Random(1))


def test_no_forgery_is_heard(tmp_path: Path) -> None:
    with forgeries.own_broker(tmp_path / "broker") as door:
        assert forgeries.heard_of(door, tried()) == (NUMBER, [])


def test_without_the_rights_they_are_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the attack is one: every topic but the broker's own, wills, and what is kept."""
    monkeypatch.setattr(forgeries, "acl", lambda _: "pattern readwrite #\n")
    with forgeries.own_broker(tmp_path / "broker") as door:
        _, found = forgeries.heard_of(door, tried())
    mine = {topic for topic in forgeries.topics() if topic.startswith(forgeries.ROOT)}
    assert {one.topic for one in found} >= mine
    assert {one.payload for one in found} == {MARK, WILL_MARK}
    # Only who comes after the attack is told so.
    assert any(one.retain for one in found)


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
