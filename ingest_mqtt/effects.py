"""What messages change: the `Outcome` of a message or of a batch, and the `Ack` to a gateway.

The outcome of one message is built alone and joined to its batch's when it is complete, so that a
message that fails halfway leaves nothing in the batch.
"""

from dataclasses import dataclass, field
from datetime import datetime

from ingest_mqtt.lots import LotState
from ingest_mqtt.messages import RejectionError
from ingest_mqtt.occupancy import Steps
from ingest_mqtt.rates import Deferred
from ingest_mqtt.wire import HEARTBEAT, FeedTopic, Refusal, Reply, Result
from sql.kinds import Transport


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came in.

    Attributes:
        topic: Its topic, as published; of one that came over HTTP, the feed's.
        payload: Its bytes; of one that is too large, one byte more than is allowed.
        received_at: The platform's clock.
        mid: The broker's number for its delivery; 0 at QoS 0.
        connection: Which connection of ours it came over; `mid` means nothing on another.
        qos: 0 or 1; the broker makes 1 of 2, since we subscribe so.
        size: Bytes that were sent; 0 where the payload is all of it.
        deferred: Set where it is over its gateway's rate, or follows a message that was.
        reply: Whom to answer where it came over HTTP; None over MQTT.
    """

    topic: str
    payload: bytes
    received_at: datetime
    mid: int = 0
    connection: int = 0
    qos: int = 1
    size: int = 0
    deferred: Deferred | None = None
    reply: Reply | None = None

    @property
    def is_report(self) -> bool:
        """Whether it is a report, rather than a hint of a gateway's status or our heartbeat."""
        return not self.topic.endswith("/status") and self.topic != HEARTBEAT

    @property
    def transport(self) -> Transport:
        """How it came."""
        return "mqtt" if self.reply is None else "http"


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
        reply: Who is answered instead of the gateway; None where the message came over MQTT.
    """

    topic: FeedTopic
    result: Result
    epoch: int | None
    seq: int | None
    reason: Refusal | None = None
    detail: str | None = None
    age_s: float | None = None
    last: tuple[int, int] | None = None
    retry_s: int | None = None
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused message, to be kept."""

    message: Received
    gateway_id: str
    lot_id: str
    rejection: RejectionError


CountEvent = tuple[str, int, int, datetime, datetime]


@dataclass(slots=True)
class Outcome:
    """All that a message or a batch changes, committed as one, and the acks to send afterwards.

    Attributes:
        states: The new state of each lot that changed.
        space_events: Bays that changed, as rows of `space_event` (`ingest_mqtt.copying`).
        changed_bays: How many rows these are.
        count_events: Counts, as rows of `count_event`.
        steps: What is added to the lots' occupancy.
        dead_letters: Refused messages.
        acks: One for each report, in the order they came; none for hints of status.
        results: Reports by result.
        kept: Refused reports by what was kept; known once they are written.
        observations: Number of bays or counts in applied messages.
        statuses: Hints that gateways came or went.
        has_heartbeat: Whether our own heartbeat is in it.
        messages: How many messages have been joined to it.
    """

    states: dict[str, LotState] = field(default_factory=dict)
    space_events: list[bytes] = field(default_factory=list)
    changed_bays: int = 0
    count_events: list[CountEvent] = field(default_factory=list)
    steps: Steps = field(default_factory=Steps)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    acks: list[Ack] = field(default_factory=list)
    results: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    observations: int = 0
    statuses: int = 0
    has_heartbeat: bool = False
    messages: int = 0

    def join(self, one: "Outcome") -> None:
        """Add the outcome of one message: all of it, or nothing where this raises."""
        # The one step that computes comes first; the others only append and assign.
        self.steps.by_key.update(self.steps.merged(one.steps))
        self.states.update(one.states)
        self.space_events.extend(one.space_events)
        self.changed_bays += one.changed_bays
        self.count_events.extend(one.count_events)
        self.dead_letters.extend(one.dead_letters)
        self.acks.extend(one.acks)
        for result, reports in one.results.items():
            self.results[result] = self.results.get(result, 0) + reports
        self.observations += one.observations
        self.statuses += one.statuses
        self.has_heartbeat |= one.has_heartbeat
        self.messages += 1
