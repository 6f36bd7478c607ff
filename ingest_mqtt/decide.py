"""Decides what a batch of messages changes: a pure function of messages and committed states.

Each message is decided alone: an exception refuses that message and no other.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import structlog

from ingest_mqtt.effects import Ack, DeadLetter, Effect, Outcome, Received, SpaceEvent
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
from ingest_mqtt.rates import Deferred
from ingest_mqtt.transition import advance
from ingest_mqtt.wire import HEARTBEAT, FeedTopic, Result
from sql.lot_states import known_bitmaps

log = structlog.get_logger()

EPOCH_AHEAD_S = 86_400
OBSERVED_AHEAD = timedelta(minutes=5)
STATES = ("free", "occupied", "unknown")
INTERNAL = "internal"
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
        if len(outcome.space_events) >= MOST_EVENTS:
            break
        effect = _build(message, registry, state_of)
        try:
            outcome.join(effect)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this message's alone
            outcome.join(internal(message, _topic_of(effect), error, registry))
    return outcome


def _build(message: Received, registry: Registry, state_of: StateOf) -> Effect:
    """Return one message's effect; an exception becomes its refusal."""
    if message.topic == HEARTBEAT:
        return Effect(is_heartbeat=True)
    topic = _NO_TOPIC
    try:
        topic = FeedTopic.parse(message.topic) or _NO_TOPIC
        if topic == _NO_TOPIC:
            return refusal(message, topic, _NOT_A_FEED)
        if message.deferred is not None:
            return _deferral(topic, message.deferred)
        return _effect(message, topic, registry, state_of)
    except RejectionError as rejection:
        return refusal(message, topic, rejection)
    except Exception as error:  # noqa: BLE001 - a fault of ours must not reach the others
        return internal(message, topic, error, registry)


def _deferral(topic: FeedTopic, deferred: Deferred) -> Effect:
    """Return the effect of a message that its gateway must send again later."""
    ack = Ack(topic, "deferred", deferred.epoch, deferred.seq, retry_s=deferred.retry_s)
    return Effect(ack=ack, result="deferred")


def refusal(message: Received, topic: FeedTopic, rejection: RejectionError) -> Effect:
    """Return the effect of a refused message: a dead letter, and an ack where there is a feed."""
    ack = Ack(topic, "rejected", rejection.epoch, rejection.seq, rejection.reason, rejection.detail)
    return Effect(
        dead_letter=DeadLetter(message, topic.gateway_id, topic.lot_id[:MOST_LOT_ID], rejection),
        ack=None if topic == _NO_TOPIC else ack,
        result="rejected" if message.is_report else None,
    )


def internal(message: Received, topic: FeedTopic, error: Exception, registry: Registry) -> Effect:
    """Return the effect of a message that our program failed to handle; it can be replayed."""
    shown, _, _ = mask_topic(message.topic, registry)
    log.error("a message could not be handled", topic=shown, exc_info=error)
    epoch, seq = readable_numbers(message.payload)
    rejection = RejectionError(INTERNAL, "a fault of the platform", epoch=epoch, seq=seq)
    return refusal(message, topic, rejection)


def _topic_of(effect: Effect) -> FeedTopic:
    return _NO_TOPIC if effect.ack is None else effect.ack.topic


def _effect(message: Received, topic: FeedTopic, registry: Registry, state_of: StateOf) -> Effect:
    if topic.kind == "status":
        parse_status(message.payload)
        return Effect(statuses=1)
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
    )
    effect = Effect(lot_id=lot.lot_id, ack=ack, result=result)
    if result == "applied":
        _check_clock(report, message.received_at)
        after = advance(lot, before, report, message.received_at)
        _apply(effect, lot, before, after, report)
    return effect


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
        reason, detail = "unknown_lot", "there is no such lot"
    elif operator is None:
        reason, detail = "unknown_gateway", "there is no such gateway"
    elif operator != lot.operator_id:
        reason, detail = "foreign_lot", f"{lot.lot_id} is not a lot of this gateway's operator"
    elif report.reporting != lot.reporting:
        reason, detail = "wrong_kind", f"{lot.lot_id} reports {lot.reporting}"
    else:
        return lot
    raise RejectionError(reason, detail, epoch=report.epoch, seq=report.seq)


def _check_clock(report: AnyReport, received_at: datetime) -> None:
    if report.observed_at > received_at + OBSERVED_AHEAD:
        reason = "observed_ahead"
        detail = "observed_at is more than 5 minutes ahead of the platform's clock"
    elif report.epoch > received_at.timestamp() + EPOCH_AHEAD_S:
        reason, detail = "epoch_ahead", "the epoch is more than a day ahead of the platform's clock"
    else:
        return
    raise RejectionError(reason, detail, epoch=report.epoch, seq=report.seq)


def _apply(
    effect: Effect, lot: Lot, before: LotState | None, after: LotState, report: AnyReport
) -> None:
    effect.state = after
    effect.steps.record(lot, before, after)
    times = min(report.observed_at, after.received_at), after.received_at
    if isinstance(report, CountReport):
        effect.observations = 1
        effect.count_events.append((lot.lot_id, after.free_spaces, after.capacity, *times))
        return
    if isinstance(report, SpacesReport):
        effect.observations = len(report.occupied) + len(report.free) + len(report.unknown)
    else:
        effect.observations = report.capacity
    effect.space_events.extend(_changes(lot, before, after))


def _changes(lot: Lot, before: LotState | None, after: LotState) -> Iterable[SpaceEvent]:
    """Yield a row for each bay whose state is another than before."""
    old_occupied, old_unknown = known_bitmaps(lot, before)
    occupied, unknown = after.occupied or 0, after.unknown or 0
    changed = (old_occupied ^ occupied) | (old_unknown ^ unknown)
    while changed:
        bit = changed & -changed
        state = STATES[2 if unknown & bit else 1 if occupied & bit else 0]
        yield lot.lot_id, bit.bit_length(), state, after.observed_at, after.received_at
        changed ^= bit
