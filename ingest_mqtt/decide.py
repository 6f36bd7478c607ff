"""Decides what a batch of messages changes: a pure function of messages and committed states.

Each message is decided alone: an exception refuses that message and no other.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from ingest_mqtt.copying import space_rows
from ingest_mqtt.effects import Ack, DeadLetter, Outcome, Received
from ingest_mqtt.lots import Committed, Lot, LotState, Registry
from ingest_mqtt.masking import mask_topic
from ingest_mqtt.messages import (
    AnyReport,
    CountReport,
    RejectionError,
    SpacesReport,
    parse_report,
    parse_status,
    readable_numbers,
)
from ingest_mqtt.transition import advance
from ingest_mqtt.wire import HEARTBEAT, FeedTopic, Result
from sql.kinds import SpaceState
from sql.lot_states import known_bitmaps

log = structlog.get_logger()

EPOCH_AHEAD_S = 86_400
OBSERVED_AHEAD = timedelta(minutes=5)
INTERNAL: Final = "internal"
# What one transaction may hold in memory, whatever a snapshot of a large lot turns over.
MOST_EVENTS = 50_000
# Of a name that no lot has, as much as an index can hold.
MOST_LOT_ID = 64

_NO_TOPIC = FeedTopic("", "", "")
_NOT_A_FEED = RejectionError("unknown_topic", "the topic is not a feed's")

StateOf = Callable[[str], LotState | None]


def decide(
    messages: Iterable[Received], registry: Registry, committed: Mapping[str, Committed]
) -> Outcome:
    """Work out what a batch of messages does, in their order.

    Args:
        messages: As they came in; those of one lot apply by their own (epoch, seq). With
            `MOST_EVENTS` changes of bays the outcome is full: it says how many it took.
        registry: Who may report what.
        committed: Every lot's state in the database; lots never heard of are absent.

    Returns:
        The outcome; nothing has been changed yet.
    """
    outcome = Outcome()

    def state_of(lot_id: str) -> LotState | None:
        changed = outcome.states.get(lot_id)
        if changed is not None:
            return changed
        before = committed.get(lot_id)
        return None if before is None else before.state

    for message in messages:
        if outcome.changed_bays >= MOST_EVENTS:
            break
        one = _build(message, registry, state_of)
        try:
            outcome.join(one)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this message's alone
            topic = one.acks[0].topic if one.acks else _NO_TOPIC
            outcome.join(internal(message, topic, error, registry))
    return outcome


def _build(message: Received, registry: Registry, state_of: StateOf) -> Outcome:
    """Return one message's outcome; an exception becomes its refusal."""
    if message.topic == HEARTBEAT:
        return Outcome(has_heartbeat=True)
    topic = _NO_TOPIC
    try:
        topic = FeedTopic.parse(message.topic) or _NO_TOPIC
        if topic == _NO_TOPIC:
            return refusal(message, topic, _NOT_A_FEED)
        if deferred := message.deferred:
            # Its gateway must send it again later.
            ack = Ack(
                topic,
                "deferred",
                deferred.epoch,
                deferred.seq,
                retry_s=deferred.retry_s,
                reply=message.reply,
            )
            return Outcome(acks=[ack], results={"deferred": 1})
        return _outcome(message, topic, registry, state_of)
    except RejectionError as rejection:
        return refusal(message, topic, rejection)
    except Exception as error:  # noqa: BLE001 - a fault of ours must not reach the others
        return internal(message, topic, error, registry)


def refusal(message: Received, topic: FeedTopic, rejection: RejectionError) -> Outcome:
    """Return the outcome of a refused message: a dead letter, and an ack where there is a feed."""
    acks, reason = [], rejection.reason
    if topic != _NO_TOPIC and reason != "unknown_topic":
        acks = [
            Ack(
                topic,
                "rejected",
                rejection.epoch,
                rejection.seq,
                reason,
                rejection.detail,
                reply=message.reply,
            )
        ]
    letter = DeadLetter(message, topic.gateway_id, topic.lot_id[:MOST_LOT_ID], rejection)
    return Outcome(
        dead_letters=[letter],
        acks=acks,
        results={"rejected": 1} if message.is_report else {},
    )


def internal(message: Received, topic: FeedTopic, error: Exception, registry: Registry) -> Outcome:
    """Return the outcome of a message that our program failed to handle; it can be replayed."""
    shown, _, _ = mask_topic(message.topic, registry)
    log.error("a message could not be handled", topic=shown, exc_info=error)
    epoch, seq = readable_numbers(message.payload)
    return refusal(
        message, topic, RejectionError(INTERNAL, "a fault of the platform", epoch=epoch, seq=seq)
    )


def _outcome(message: Received, topic: FeedTopic, registry: Registry, state_of: StateOf) -> Outcome:
    if topic.kind == "status":
        parse_status(message.payload)
        return Outcome(statuses=1)
    report = parse_report(topic.kind, message.payload)
    lot = _registered(topic, report, registry)
    before = state_of(lot.lot_id)
    result = _result(before, report)
    ack = Ack(
        topic,
        result,
        report.epoch,
        report.seq,
        age_s=_age_s(report, message.received_at) if result == "applied" else None,
        last=before.order if before is not None and result == "superseded" else None,
        reply=message.reply,
    )
    outcome = Outcome(acks=[ack], results={result: 1})
    if result == "applied":
        _check_clock(report, message.received_at)
        after = advance(lot, before, report, message.received_at, message.transport)
        _apply(outcome, lot, before, after, report)
    return outcome


def _age_s(report: AnyReport, received_at: datetime) -> float:
    """Return the age of a report on arrival, in seconds; 0 where its clock is ahead."""
    return max(0.0, (received_at - report.observed_at).total_seconds())


def _result(before: LotState | None, report: AnyReport) -> Result:
    order = report.epoch, report.seq
    if before is None or order > before.order:
        return "applied"
    return "duplicate" if order == before.order else "superseded"


def _registered(topic: FeedTopic, report: AnyReport, registry: Registry) -> Lot:
    """Return the lot, if the gateway may report for it and the kind of report fits."""
    lot = registry.lots.get(topic.lot_id)
    operator = registry.operators.get(topic.gateway_id)
    if lot is None:
        raise report.refused("unknown_lot", "there is no such lot")
    if operator is None:
        raise report.refused("unknown_gateway", "there is no such gateway")
    if operator != lot.operator_id:
        detail = f"{lot.lot_id} is not a lot of this gateway's operator"
        raise report.refused("foreign_lot", detail)
    if lot.is_retired:
        raise report.refused("retired_lot", f"{lot.lot_id} is retired")
    if report.reporting != lot.reporting:
        raise report.refused("wrong_kind", f"{lot.lot_id} reports {lot.reporting}")
    return lot


def _check_clock(report: AnyReport, received_at: datetime) -> None:
    if report.observed_at > received_at + OBSERVED_AHEAD:
        raise report.refused(
            "observed_ahead", "observed_at is more than 5 minutes ahead of the platform's clock"
        )
    if report.epoch > received_at.timestamp() + EPOCH_AHEAD_S:
        raise report.refused(
            "epoch_ahead", "the epoch is more than a day ahead of the platform's clock"
        )


def _apply(
    outcome: Outcome, lot: Lot, before: LotState | None, after: LotState, report: AnyReport
) -> None:
    outcome.states[lot.lot_id] = after
    outcome.steps.record(lot, before, after)
    times = min(report.observed_at, after.received_at), after.received_at
    if isinstance(report, CountReport):
        outcome.observations = 1
        outcome.count_events.append((lot.lot_id, after.free_spaces, after.capacity, *times))
        return
    if isinstance(report, SpacesReport):
        outcome.observations = len(report.occupied) + len(report.free) + len(report.unknown)
    else:
        outcome.observations = report.capacity
    changes = _changes(lot, before, after)
    outcome.changed_bays = sum(bays.bit_count() for _, bays in changes)
    if outcome.changed_bays:
        outcome.space_events.append(
            space_rows(lot.lot_id, changes, after.observed_at, after.received_at)
        )


def _changes(
    lot: Lot, before: LotState | None, after: LotState
) -> tuple[tuple[SpaceState, int], ...]:
    """Return the bays whose state is another than before, by their new state; bay n at bit n-1."""
    old_occupied, old_unknown = known_bitmaps(lot, before)
    occupied, unknown = after.occupied or 0, after.unknown or 0
    changed = (old_occupied ^ occupied) | (old_unknown ^ unknown)
    return (
        ("free", changed & ~(occupied | unknown)),
        ("occupied", changed & occupied),
        ("unknown", changed & unknown),
    )
