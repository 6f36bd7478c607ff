"""One message decided as the ingester does, and all that it would say and keep looked at."""

from collections.abc import Mapping

from ingest_mqtt.decide import decide
from ingest_mqtt.effects import Outcome, Received
from ingest_mqtt.lots import Committed, Registry
from ingest_mqtt.masking import mask_payload, mask_topic
from ingest_mqtt.publish import ack_payload
from ingest_mqtt.wire import FeedTopic
from load_tests.fuzz_checks import Checked, ack_problem, expects_ack
from load_tests.mutations import SECRET


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
    if not masked.is_whole:
        return "a good message would not be kept whole" if applied else None
    again = Received(message.topic, masked.text.encode(), message.received_at)
    if decide([again], registry, committed).acks != outcome.acks:
        return "kept whole, and yet it ends otherwise"
    return None
