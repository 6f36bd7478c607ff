"""What a gateway says and hears: reports, topics and acks of the feed contract. No I/O."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

ROOT = "onelot/v1"
MAX_RETRY_S = 3_600.0

Kind = Literal["spaces", "snapshot", "count"]


@dataclass(frozen=True, slots=True)
class Report:
    """The state of a lot, or of some of its bays, at one moment; not yet numbered.

    Attributes:
        kind: last level of the topic.
        observed_at: RFC 3339 with offset.
        fields: what the kind carries besides `epoch`, `seq` and `observed_at`.
    """

    kind: Kind
    observed_at: str
    fields: Mapping[str, Any]

    @property
    def whole(self) -> bool:
        """Whether the report tells the whole state of its lot."""
        return self.kind != "spaces"

    def encode(self, epoch: int, seq: int) -> bytes:
        """Give the message's JSON under its number."""
        head = {"epoch": epoch, "seq": seq, "observed_at": self.observed_at}
        return orjson.dumps({**head, **self.fields})


@dataclass(frozen=True, slots=True)
class Ack:
    """The platform's answer to one message. `retry_s` (seconds) only if deferred."""

    epoch: int
    seq: int
    result: str
    reason: str | None = None
    retry_s: float = 0.0


def spaces_report(observed_at: str, occupied: Sequence[int], free: Sequence[int]) -> Report:
    """Report bays (1 is the first) that became occupied or free; at least one in all."""
    return Report("spaces", observed_at, {"occupied": list(occupied), "free": list(free)})


def snapshot_report(observed_at: str, occupied: NDArray[np.bool_]) -> Report:
    """Report every bay of a lot; `occupied` has the shape (capacity,)."""
    bits = np.packbits(occupied, bitorder="little").tobytes()
    fields = {"capacity": len(occupied), "occupied_bits": base64.b64encode(bits).decode("ascii")}
    return Report("snapshot", observed_at, fields)


def count_report(observed_at: str, free: int, capacity: int | None) -> Report:
    """Report free spaces of a lot that counts; without `capacity` the registered one holds."""
    fields = {"free": free} if capacity is None else {"free": free, "capacity": capacity}
    return Report("count", observed_at, fields)


def rfc3339(moment: datetime) -> str:
    """Write an aware time with its offset, to the millisecond if it has a fraction."""
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def feed_topic(gateway: str, lot: str, last: str) -> str:
    """Name the topic of a kind of report, or of `status`."""
    return f"{ROOT}/feeds/{gateway}/{lot}/{last}"


def ack_filter(gateway: str) -> str:
    """Name the topics of all acks to a gateway."""
    return f"{ROOT}/acks/{gateway}/+"


def lot_of_ack(topic: str) -> str:
    """Give the lot that an ack's topic ends with."""
    return topic.rpartition("/")[2]


def parse_ack(payload: bytes) -> Ack | None:
    """Read an ack; None if it is not one, or answers a message that could not be parsed."""
    try:
        body = orjson.loads(payload)
        retry_s = min(max(float(body.get("retry_s") or 0.0), 0.0), MAX_RETRY_S)
        reason = body.get("reason")
        return Ack(int(body["epoch"]), int(body["seq"]), str(body["result"]), reason, retry_s)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
