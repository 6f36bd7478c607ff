"""A message's effect is built apart: whatever breaks, and wherever, refuses that message alone."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from ingest_mqtt import decide as deciding
from ingest_mqtt.effects import Outcome, Received
from ingest_mqtt.occupancy import Steps
from ingest_mqtt.wire import FeedTopic
from tests.ingest_mqtt.builders import AT, message, results, run, snapshot

# The sequence number of the second message, at which each step is made to fail.
POISON = 13

STEPS: dict[str, tuple[object, str]] = {
    "parse": (deciding, "parse_report"),
    "lookup": (deciding, "_registered"),
    "clock": (deciding, "_check_clock"),
    "advance": (deciding, "advance"),
    "order": (deciding, "_result"),
    "apply": (deciding, "_apply"),
    "changes": (deciding, "_changes"),
    "events": (deciding, "space_rows"),
    "steps": (Steps, "record"),
    "join": (Outcome, "join"),
    "merge": (Steps, "merged"),
}
FAULTS = [RuntimeError("boom"), RecursionError(), MemoryError(), UnicodeError("x"), KeyError(1)]


def failing_at_second(original: Callable[..., Any], fault: Exception) -> Callable[..., Any]:
    """Wrap a step so that its second call, which is the second message's, raises."""
    calls = itertools.count(1)

    def step(*arguments: Any) -> Any:
        if next(calls) == 2:
            raise fault
        return original(*arguments)

    return step


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("step", STEPS)
def test_a_fault_at_any_step_refuses_its_message_alone(
    step: str, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, name = STEPS[step]
    before = snapshot(0b1, seq=POISON - 1)
    after = message("gates", "count", free=7, seq=POISON + 1)
    again = snapshot(0b111, seq=POISON + 2)
    monkeypatch.setattr(owner, name, failing_at_second(getattr(owner, name), fault))
    outcome = run(before, snapshot(0b1111_1111_1110, seq=POISON), after, again)
    assert results(outcome) == ["applied", "internal", "applied", "applied"]
    monkeypatch.undo()
    good = run(before, after, again)
    assert outcome.states == good.states
    assert outcome.space_events == good.space_events
    assert outcome.count_events == good.count_events
    assert outcome.steps.by_key == good.steps.by_key
    assert outcome.observations == good.observations
    assert outcome.results == {"applied": 3, "rejected": 1}
    (letter,) = outcome.dead_letters
    assert (letter.rejection.epoch, letter.rejection.seq) == (100, POISON)
    assert outcome.acks[1].detail == "a fault of the platform"


def test_a_fault_at_the_topic_leaves_no_ack_but_harms_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = FeedTopic.parse

    def parse(topic: str) -> FeedTopic | None:
        if "poison" in topic:
            raise RuntimeError(topic)
        return original(topic)

    monkeypatch.setattr(FeedTopic, "parse", parse)
    bad = Received("onelot/v1/feeds/gw-a/poison/spaces", b"{}", AT)
    outcome = run(bad, snapshot(1))
    assert results(outcome) == ["applied"]
    assert [letter.rejection.reason for letter in outcome.dead_letters] == ["internal"]


def test_steps_of_messages_add_up_to_the_lots() -> None:
    whole = run(
        message("gates", "count", free=7),
        message("gates", "count", free=9, seq=2),
        message("gates", "count", free=8, seq=3),
    )
    (step,) = whole.steps.by_key.values()
    assert (step.free_min, step.free_max, step.free_last) == (7, 9, 8)
