"""What must be true of every ack, whatever was sent; no I/O."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ingest_mqtt.messages import MAX_PAYLOAD_BYTES
from ingest_mqtt.wire import MAX_NUMBER, FeedTopic
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


def expects_ack(topic: str, payload: bytes) -> bool:
    """Return whether a message is to be acked: all on a feed's topic but well-formed hints."""
    feed = FeedTopic.parse(topic)
    if feed is None:
        return False
    if feed.kind != "status" or len(payload) > MAX_PAYLOAD_BYTES:
        return True
    try:
        # As pairs: a name that stands there twice is no well-formed hint.
        pairs = json.loads(payload.decode(), object_pairs_hook=list)
    except (ValueError, RecursionError):
        return True
    return pairs not in ([("status", "online")], [("status", "offline")])


def ack_problem(payload: bytes) -> str | None:
    """Find what is wrong with an ack; None where it keeps docs/contract/feeds.md."""
    ack: dict[str, Any] = json.loads(payload)
    if ack["result"] not in RESULTS:
        return f"a result {ack['result']!r}"
    if ack.get("reason") == "internal":
        return "a fault of ours"
    if ack["result"] == "rejected" and not (ack.get("reason") and ack.get("detail")):
        return "a refusal without its reason"
    if SECRET.encode() in payload.upper():
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
