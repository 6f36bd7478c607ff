"""What becomes of a batch of messages: a pure function of them and of the committed states."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ingest_mqtt.lots import Committed, Lot, LotState, Registry
from ingest_mqtt.messages import (
    AnyReport,
    CountReport,
    FeedTopic,
    RejectionError,
    SpacesReport,
    parse_report,
    parse_status,
)
from ingest_mqtt.occupancy import Steps
from ingest_mqtt.transition import advance, known_bitmaps

EPOCH_AHEAD_S = 86_400
STATES = ("free", "occupied", "unknown")


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came in.

    Attributes:
        topic: Its topic, as published.
        payload: Its bytes.
        received_at: The platform's clock.
        mid: The broker's number for its delivery.
        connection: Which connection of ours it came over; `mid` means nothing on another.
    """

    topic: str
    payload: bytes
    received_at: datetime
    mid: int = 0
    connection: int = 0

    @property
    def is_report(self) -> bool:
        """Whether it is a report, rather than a hint that a gateway came or went."""
        return not self.topic.endswith("/status")


@dataclass(frozen=True, slots=True)
class Ack:
    """What the gateway is told; `detail` and `reason` only where there is one."""

    topic: FeedTopic
    result: str
    epoch: int | None
    seq: int | None
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused message, to be kept whole."""

    message: Received
    gateway_id: str
    lot_id: str
    rejection: RejectionError


SpaceEvent = tuple[str, int, str, datetime, datetime]
CountEvent = tuple[str, int, int, datetime, datetime]


@dataclass(slots=True)
class Outcome:
    """All that a batch changes, to be committed as one, and what is said afterwards.

    Attributes:
        states: The new state of each lot that changed.
        space_events: Bays that changed, as rows of `space_event`.
        count_events: Counts, as rows of `count_event`.
        steps: What is added to the lots' occupancy.
        dead_letters: Refused messages.
        acks: One for each report, in the order they came.
        observations: Bays or counts that applied messages told of.
        statuses: Hints that gateways came or went.
    """

    states: dict[str, LotState] = field(default_factory=dict)
    space_events: list[SpaceEvent] = field(default_factory=list)
    count_events: list[CountEvent] = field(default_factory=list)
    steps: Steps = field(default_factory=Steps)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    acks: list[Ack] = field(default_factory=list)
    observations: int = 0
    statuses: int = 0


def decide(
    messages: Iterable[Received], registry: Registry, committed: Mapping[str, Committed]
) -> Outcome:
    """Work out what a batch of messages does, in their order.

    Args:
        messages: As they came in; those of one lot apply by their own (epoch, seq).
        registry: Who may report what.
        committed: Every lot's state in the database; lots never heard of are absent.

    Returns:
        The outcome; nothing has been changed yet.
    """
    outcome = Outcome()
    for message in messages:
        topic = FeedTopic.parse(message.topic)
        if topic is None:
            _bury(outcome, message, FeedTopic("", "", ""), _NOT_A_FEED)
            continue
        try:
            _take(outcome, message, topic, registry, committed)
        except RejectionError as rejection:
            refuse(outcome, message, topic, rejection)
    return outcome


_NOT_A_FEED = RejectionError("unknown_topic", "the topic is not a feed's")


def refuse(
    outcome: Outcome, message: Received, topic: FeedTopic, rejection: RejectionError
) -> None:
    """Keep a message as a dead letter and tell its gateway why."""
    _bury(outcome, message, topic, rejection)
    outcome.acks.append(
        Ack(topic, "rejected", rejection.epoch, rejection.seq, rejection.reason, rejection.detail)
    )


def _bury(outcome: Outcome, message: Received, topic: FeedTopic, rejection: RejectionError) -> None:
    outcome.dead_letters.append(DeadLetter(message, topic.gateway_id, topic.lot_id, rejection))


def _take(
    outcome: Outcome,
    message: Received,
    topic: FeedTopic,
    registry: Registry,
    committed: Mapping[str, Committed],
) -> None:
    if topic.kind == "status":
        parse_status(message.payload)
        outcome.statuses += 1
        return
    report = parse_report(topic.kind, message.payload)
    lot = _registered(topic, report, registry)
    _check_epoch(report, message.received_at)
    before = outcome.states.get(lot.lot_id)
    if before is None and lot.lot_id in committed:
        before = committed[lot.lot_id].state
    after = advance(lot, before, report, message.received_at)
    result = _result(before, report)
    if result == "applied":
        _apply(outcome, lot, before, after, report)
    outcome.acks.append(Ack(topic, result, report.epoch, report.seq))


def _result(before: LotState | None, report: AnyReport) -> str:
    order = report.epoch, report.seq
    if before is None or order > before.order:
        return "applied"
    return "duplicate" if order == before.order else "superseded"


def _registered(topic: FeedTopic, report: AnyReport, registry: Registry) -> Lot:
    """Find the lot, and hold the gateway and the kind of report against it."""
    lot = registry.lots.get(topic.lot_id)
    operator = registry.operators.get(topic.gateway_id)
    if lot is None:
        reason, detail = "unknown_lot", f"there is no lot {topic.lot_id!r}"
    elif operator is None:
        reason, detail = "unknown_gateway", f"there is no gateway {topic.gateway_id!r}"
    elif operator != lot.operator_id:
        reason, detail = "foreign_lot", f"{lot.lot_id} is not a lot of this gateway's operator"
    elif report.reporting != lot.reporting:
        reason, detail = "wrong_kind", f"{lot.lot_id} reports {lot.reporting}"
    else:
        return lot
    raise RejectionError(reason, detail, epoch=report.epoch, seq=report.seq)


def _check_epoch(report: AnyReport, received_at: datetime) -> None:
    if report.epoch > received_at.timestamp() + EPOCH_AHEAD_S:
        raise RejectionError(
            "epoch_ahead",
            "the epoch is more than a day ahead of the platform's clock",
            epoch=report.epoch,
            seq=report.seq,
        )


def _apply(
    outcome: Outcome, lot: Lot, before: LotState | None, after: LotState, report: AnyReport
) -> None:
    outcome.states[lot.lot_id] = after
    outcome.steps.record(lot, before, after)
    times = after.observed_at, after.received_at
    if isinstance(report, CountReport):
        outcome.observations += 1
        outcome.count_events.append((lot.lot_id, after.free_spaces, after.capacity, *times))
        return
    if isinstance(report, SpacesReport):
        outcome.observations += len(report.occupied) + len(report.free) + len(report.unknown)
    else:
        outcome.observations += report.capacity
    outcome.space_events.extend(_changes(lot, before, after))


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
