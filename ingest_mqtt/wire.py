"""Topics, and the messages that the platform sends over MQTT; other packages may use them.

What gateways send is in `ingest_mqtt.messages`. The public contract is `docs/contract/feeds.md`.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

ROOT: Final = "onelot/v1"
KINDS: Final = ("spaces", "snapshot", "count", "status")
FEEDS: Final = f"{ROOT}/feeds/#"
STATES: Final = f"{ROOT}/state/+"
# Reports that came over HTTP: the API publishes them for the gateway in the topic; see `Reply`.
PUSHES: Final = f"{ROOT}/push/+/+/+"
PushKind: TypeAlias = Literal["spaces", "snapshot", "count"]
PUSH_KINDS: Final[tuple[PushKind, ...]] = get_args(PushKind)
# Processes of the API that hand on reports at one time, each with a number of its own.
MOST_PUSHERS: Final = 32
# Our own: it goes to the broker, comes back, and is committed like any message.
HEARTBEAT: Final = f"{ROOT}/heartbeat/ingest"
VERSION_DIGITS: Final = 20
MAX_NUMBER: Final = 2**53

# A lot may be called anything: whether it is registered is another question, and has an ack.
_FEED: Final = re.compile(rf"{ROOT}/feeds/([^/]+)/([^/]*)/([^/]+)")
_FEED_ROOT: Final = f"{ROOT}/feeds/"
_PUSH_ROOT: Final = f"{ROOT}/push/"
_TOKEN_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class FeedTopic:
    """`onelot/v1/feeds/{gateway_id}/{lot_id}/{kind}`, taken apart."""

    gateway_id: str
    lot_id: str
    kind: str

    @classmethod
    def parse(cls, topic: str) -> "FeedTopic | None":
        """Parse a topic; return None where it is not a feed's."""
        match = _FEED.fullmatch(topic)
        return cls(*match.groups()) if match else None

    @property
    def ack_topic(self) -> str:
        """Where the gateway hears what became of its message."""
        return f"{ROOT}/acks/{self.gateway_id}/{self.lot_id}"

    @property
    def push_topic(self) -> str:
        """Where the API hands on what came for this feed over HTTP."""
        return f"{_PUSH_ROOT}{self.gateway_id}/{self.lot_id}/{self.kind}"


def is_push(topic: str) -> bool:
    """Tell whether a topic is one of `PUSHES`."""
    return topic.startswith(_PUSH_ROOT)


def feed_of_push(topic: str) -> str:
    """Return the feed's topic for one of `PUSHES`."""
    return _FEED_ROOT + topic.removeprefix(_PUSH_ROOT)


@dataclass(frozen=True, slots=True)
class Reply:
    """Which process of the API waits for the ack of a pushed message, and for which message.

    Attributes:
        pusher: Number of the process, 1 to `MOST_PUSHERS`.
        token: 16 bytes of the process's choice, another for each message.
    """

    pusher: int
    token: bytes

    @classmethod
    def read(cls, correlation: object) -> "Reply | None":
        """Read a message's correlation data; None where they are not ours."""
        if not isinstance(correlation, bytes) or len(correlation) != 1 + _TOKEN_BYTES:
            return None
        return cls(correlation[0], correlation[1:]) if 1 <= correlation[0] <= MOST_PUSHERS else None

    @classmethod
    def new(cls, pusher: int) -> "Reply":
        """Make one for the next message of a process."""
        return cls(pusher, secrets.token_bytes(_TOKEN_BYTES))

    @property
    def correlation(self) -> bytes:
        """The correlation data of the message and of its ack: the number, then the token."""
        return bytes((self.pusher,)) + self.token

    @property
    def topic(self) -> str:
        """Where the process hears its acks; no message can name another topic."""
        return push_acks_topic(self.pusher)


def push_acks_topic(pusher: int) -> str:
    """Where a process of the API hears the acks of what it handed on."""
    return f"{ROOT}/push-acks/{pusher}"


def state_topic(lot_id: str) -> str:
    """Where a lot's committed state is retained."""
    return f"{ROOT}/state/{lot_id}"


Epoch: TypeAlias = Annotated[
    int,
    Meta(
        ge=0,
        le=MAX_NUMBER,
        description="Rises each time that the gateway starts its numbering again; the Unix second "
        "of its start suits.",
    ),
]
Seq: TypeAlias = Annotated[
    int,
    Meta(
        ge=1, le=MAX_NUMBER, description="One more for each message of this lot within the epoch."
    ),
]
LastSeq: TypeAlias = Annotated[
    int,
    Meta(
        ge=0,
        le=MAX_NUMBER,
        description="Of the last report; 0, with epoch 0, where the lot has gone to another "
        "operator, whose numbering has not begun.",
    ),
]
# Text, so that what is sent is what `datetime.isoformat` writes.
Instant: TypeAlias = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
Bits: TypeAlias = Annotated[str, Meta(extra_json_schema={"contentEncoding": "base64"})]


Result: TypeAlias = Literal[
    "applied", "duplicate", "superseded", "rejected", "quarantined", "deferred"
]
Refusal: TypeAlias = Literal[
    "capacity_mismatch",
    "epoch_ahead",
    "foreign_lot",
    "internal",
    "invalid",
    "malformed",
    "observed_ahead",
    "out_of_range",
    "retired_lot",
    "too_large",
    "unknown_gateway",
    "unknown_kind",
    "unknown_lot",
    "wrong_kind",
]
MAX_RETRY_S: Final = 60


class Order(msgspec.Struct, frozen=True):
    """What decides which of two messages of a lot is the newer one."""

    epoch: Epoch
    seq: Seq


class AckMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a feed message; sent after COMMIT to `onelot/v1/acks/{gateway}/{lot}`."""

    epoch: Annotated[Epoch | None, Meta(description="The message's; null if unreadable.")]
    seq: Annotated[Seq | None, Meta(description="The message's; null if unreadable.")]
    result: Annotated[
        Result,
        Meta(description="What became of it. `quarantined` is reserved: nothing sends it yet."),
    ]
    at: Annotated[Instant, Meta(description="The platform's clock, RFC 3339.")]
    reason: Annotated[
        Refusal | UnsetType, Meta(description="With `rejected`: one word for programs.")
    ] = UNSET
    detail: Annotated[
        str | UnsetType, Meta(description="With `rejected`: a sentence for people.")
    ] = UNSET
    age_s: Annotated[
        Annotated[float, Meta(ge=0)] | UnsetType,
        Meta(description="With `applied`: how old the message was on arrival, in seconds."),
    ] = UNSET
    last: Annotated[
        Order | UnsetType, Meta(description="With `superseded`: the last message applied.")
    ] = UNSET
    retry_s: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_RETRY_S)] | UnsetType,
        Meta(description="With `deferred`: send it again after so many seconds."),
    ] = UNSET


class StateMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A lot as last committed; retained at `onelot/v1/state/{lot}`.

    The last three fields are there only for a lot that senses its bays.
    """

    lot: Annotated[str, Meta(description="Its id.")]
    epoch: Epoch
    seq: LastSeq
    version: Annotated[
        str,
        Meta(
            pattern=f"^[0-9]{{{VERSION_DIGITS}}}$",
            description="Text that orders: rises with each committed change of the lot.",
        ),
    ]
    free_spaces: Annotated[
        Count | None, Meta(description="Spaces known to be free; null if nothing is known.")
    ]
    unknown_spaces: Annotated[Count, Meta(description="Spaces of which nothing is known.")]
    capacity: Annotated[Count, Meta(description="Spaces in service.")]
    observed_at: Annotated[
        Instant, Meta(description="From when the state's age runs, RFC 3339; not after receipt.")
    ]
    received_at: Annotated[Instant, Meta(description="When the last report came in, RFC 3339.")]
    committed_at: Annotated[Instant, Meta(description="When it was committed, RFC 3339.")]
    occupied_bits: Annotated[
        Bits | UnsetType,
        Meta(
            description="Occupied bays: ceil(capacity / 8) bytes in base64, bay n at bit (n-1) mod "
            "8 of byte (n-1) div 8."
        ),
    ] = UNSET
    unknown_bits: Annotated[Bits | UnsetType, Meta(description="Unknown bays, likewise.")] = UNSET
    free_by_class: Annotated[
        dict[str, Count] | UnsetType, Meta(description="Free bays of each class.")
    ] = UNSET
