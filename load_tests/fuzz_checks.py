"""What must be true of every message, whatever it holds; no I/O."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ingest_mqtt.decide import decide
from ingest_mqtt.effects import Outcome, Received
from ingest_mqtt.lots import Committed, Registry
from ingest_mqtt.masking import mask_payload, mask_topic
from ingest_mqtt.messages import MAX_NUMBER, MAX_PAYLOAD_BYTES, FeedTopic
from ingest_mqtt.publish import ack_payload
from load_tests.mutations import SECRET

RESULTS: Final = frozenset({"applied", "duplicate", "superseded", "rejected", "deferred"})


@dataclass(slots=True)
class Checked:
    """How messages ended, and what was wrong with how they ended.

    Attributes:
        results: How many ended as what; of refusals the reason.
        problems: What was wrong, with one message each that shows it.
    """

    results: Counter[str] = field(default_factory=Counter)
    problems: dict[str, str] = field(default_factory=dict)

    def note(self, problem: str, shows: str) -> None:
        """Keep a problem, once."""
        self.problems.setdefault(problem, shows)


def decided(
    message: Received, registry: Registry, committed: Mapping[str, Committed], checked: Checked
) -> None:
    """Decide one message as the ingester does, and look at all that would be said and kept."""
    shows = f"{message.topic[:80]!r} {message.payload[:300]!r}"
    try:
        outcome = decide([message], registry, committed)
        _acks(message, outcome, checked, shows)
        _letters(message, outcome, registry, checked, shows)
        problem = _whole_problem(message, outcome, registry, committed)
        if problem is not None:
            checked.note(problem, shows)
    except Exception as error:  # noqa: BLE001 - whatever is raised is the finding
        checked.note(f"raised {type(error).__name__}", f"{error}: {shows}")


def expects_ack(topic: str, payload: bytes) -> bool:
    """Tell whether a message is to be acked: all on a feed's topic but well-formed hints."""
    feed = FeedTopic.parse(topic)
    if feed is None:
        return False
    if feed.kind != "status":
        return True
    if len(payload) > MAX_PAYLOAD_BYTES:
        return True
    try:
        # As pairs: a name that stands there twice is no well-formed hint.
        said = json.loads(payload.decode(), object_pairs_hook=list)
    except (ValueError, RecursionError):
        return True
    return said not in ([("status", "online")], [("status", "offline")])


def _acks(message: Received, outcome: Outcome, checked: Checked, shows: str) -> None:
    wanted = int(expects_ack(message.topic, message.payload))
    if len(outcome.acks) != wanted and FeedTopic.parse(message.topic):
        checked.note(f"{len(outcome.acks)} acks in place of {wanted}", shows)
    for ack in outcome.acks:
        told = ack_payload(ack, message.received_at)
        problem = ack_problem(told)
        if problem is not None:
            checked.note(problem, f"{told!r}: {shows}")
        checked.results[ack.reason or ack.result] += 1


def ack_problem(told: bytes) -> str | None:
    """Find what is wrong with an ack; None where it keeps the contract."""
    ack: dict[str, Any] = json.loads(told)
    if ack["result"] not in RESULTS:
        return f"a result {ack['result']!r}"
    if ack.get("reason") == "internal":
        return "a fault of ours"
    if ack["result"] == "rejected" and not (ack.get("reason") and ack.get("detail")):
        return "a refusal without its reason"
    if SECRET.encode() in told.upper():
        return "an ack quotes"
    return _number_problem(ack)


def _number_problem(ack: Mapping[str, Any]) -> str | None:
    for name, least in (("epoch", 0), ("seq", 1)):
        number = ack[name]
        if number is None:
            problem = f"{ack['result']} without {name}"
        elif not (type(number) is int and 0 <= number <= MAX_NUMBER):
            return f"a wrong {name}"
        else:
            problem = f"a {name} below its least" if number < least else ""
        if problem and ack["result"] != "rejected":
            return problem
    return None


def _letters(
    message: Received, outcome: Outcome, registry: Registry, checked: Checked, shows: str
) -> None:
    for letter in outcome.dead_letters:
        masked = mask_payload(message.topic.rpartition("/")[2], message.payload)
        kept = (*mask_topic(message.topic, registry), masked.text, letter.rejection.detail)
        for text in kept:
            # What PostgreSQL takes: UTF-8 without NUL.
            text.encode()
            if SECRET in text.upper():
                checked.note("a dead letter shows what is to be masked", f"{text!r}: {shows}")
            if "\0" in text:
                checked.note("a dead letter holds a NUL", f"{text!r}: {shows}")


def _whole_problem(
    message: Received, outcome: Outcome, registry: Registry, committed: Mapping[str, Committed]
) -> str | None:
    """A message that is kept whole must end in the same way when it is taken in again."""
    masked = mask_payload(message.topic.rpartition("/")[2], message.payload)
    applied = any(ack.result != "rejected" for ack in outcome.acks)
    if not masked.whole:
        return "a good message would not be kept whole" if applied else None
    again = Received(message.topic, masked.text.encode(), message.received_at)
    if decide([again], registry, committed).acks != outcome.acks:
        return "kept whole, and yet it ends otherwise"
    return None


def received(topic: str, payload: bytes, at: datetime) -> Received:
    """Make a message as it comes in."""
    return Received(topic, payload, at)
