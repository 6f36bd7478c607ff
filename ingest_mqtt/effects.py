"""What messages change: `Effect` of one message, `Outcome` of a batch, `Ack` to a gateway.

An effect is built alone and joined to its batch when it is complete, so that a message that fails
halfway leaves nothing in the batch.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from ingest_mqtt.lots import LotState
from ingest_mqtt.messages import RejectionError
from ingest_mqtt.occupancy import Steps
from ingest_mqtt.rates import Deferred
from ingest_mqtt.wire import HEARTBEAT, FeedTopic, Result


def is_report(topic: str) -> bool:
    """Return whether a topic is a report's, not a gateway's status or our heartbeat."""
    return not topic.endswith("/status") and topic != HEARTBEAT


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came in.

    Attributes:
        topic: Its topic, as published.
        payload: Its bytes; of one that is too large, one byte more than is allowed.
        received_at: The platform's clock.
        mid: The broker's number for its delivery.
        connection: Which connection of ours it came over; `mid` means nothing on another.
        qos: 0 or 1.
        size: Bytes that were sent; 0 where the payload is all of it.
        deferred: Set where it is over its gateway's rate, or follows a message that was.
    """

    topic: str
    payload: bytes
    received_at: datetime
    mid: int = 0
    connection: int = 0
    qos: int = 1
    size: int = 0
    deferred: Deferred | None = None

    @property
    def is_report(self) -> bool:
        """Whether it is a report, rather than a hint of a gateway's status or our heartbeat."""
        return is_report(self.topic)


@dataclass(frozen=True, slots=True)
class Ack:
    """The answer to a gateway; the wire leaves out what is None, except epoch and seq.

    Attributes:
        topic: The feed that the message came on.
        result: `applied`, `duplicate`, `superseded`, `deferred` or `rejected`.
        epoch: The message's, where it could be read.
        seq: Likewise.
        reason: Of a refusal, one word for programs.
        detail: Of a refusal, a sentence for people.
        age_s: Of what was applied, how old it was when it came in.
        last: Of what was superseded, (epoch, seq) of the last applied.
        retry_s: Of what was deferred, when to send it again.
    """

    topic: FeedTopic
    result: Result
    epoch: int | None
    seq: int | None
    reason: str | None = None
    detail: str | None = None
    age_s: float | None = None
    last: tuple[int, int] | None = None
    retry_s: int | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused message, to be kept."""

    message: Received
    gateway_id: str
    lot_id: str
    rejection: RejectionError


SpaceEvent = tuple[str, int, str, datetime, datetime]
CountEvent = tuple[str, int, int, datetime, datetime]


@dataclass(slots=True)
class Effect:
    """All that one message changes, and the ack to its gateway.

    Attributes:
        lot_id: The lot whose state changes.
        state: Its new state; None where it stays.
        space_events: Bays that changed, as rows of `space_event`.
        count_events: Counts, as rows of `count_event`.
        steps: What is added to the lot's occupancy.
        dead_letter: The message, where it was refused.
        ack: The answer to its gateway; None for hints of status.
        result: What the message counts as; None where it is not counted as a report.
        observations: Number of bays or counts in it.
        statuses: 1 for a hint that a gateway came or went.
        is_heartbeat: Whether it is our own heartbeat.
    """

    lot_id: str = ""
    state: LotState | None = None
    space_events: list[SpaceEvent] = field(default_factory=list)
    count_events: list[CountEvent] = field(default_factory=list)
    steps: Steps = field(default_factory=Steps)
    dead_letter: DeadLetter | None = None
    ack: Ack | None = None
    result: str | None = None
    observations: int = 0
    statuses: int = 0
    is_heartbeat: bool = False


@dataclass(slots=True)
class Outcome:
    """All that a batch changes, committed as one, and the acks to send afterwards.

    Attributes:
        states: The new state of each lot that changed.
        space_events: Bays that changed, as rows of `space_event`.
        count_events: Counts, as rows of `count_event`.
        steps: What is added to the lots' occupancy.
        dead_letters: Refused messages.
        acks: One for each report, in the order they came.
        results: Reports by result.
        kept: Refused reports by what was kept; known once they are written.
        observations: Number of bays or counts in applied messages.
        statuses: Hints that gateways came or went.
        has_heartbeat: Whether our own heartbeat is in it.
        messages: How many messages it comes from.
    """

    states: dict[str, LotState] = field(default_factory=dict)
    space_events: list[SpaceEvent] = field(default_factory=list)
    count_events: list[CountEvent] = field(default_factory=list)
    steps: Steps = field(default_factory=Steps)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    acks: list[Ack] = field(default_factory=list)
    results: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    observations: int = 0
    statuses: int = 0
    has_heartbeat: bool = False
    messages: int = 0

    def join(self, effect: Effect) -> None:
        """Add a message's effect: all of it, or nothing where this raises."""
        # The one step that computes comes first; the others only append and assign.
        steps = self.steps.merged(effect.steps)
        self.steps.by_key.update(steps)
        if effect.state is not None:
            self.states[effect.lot_id] = effect.state
        self.space_events.extend(effect.space_events)
        self.count_events.extend(effect.count_events)
        if effect.dead_letter is not None:
            self.dead_letters.append(effect.dead_letter)
        if effect.ack is not None:
            self.acks.append(effect.ack)
        if effect.result is not None:
            self.results[effect.result] += 1
        self.observations += effect.observations
        self.statuses += effect.statuses
        self.has_heartbeat |= effect.is_heartbeat
        self.messages += 1
