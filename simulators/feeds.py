"""A gateway's messages: reports, topics and acks of docs/contract/feeds.md. No I/O."""

import base64
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
import numpy as np
import orjson
from numpy.typing import NDArray

ROOT = "onelot/v1"
# Bounds on `retry_s`: no ack makes a gateway send without pause, or wait for ever.
RETRY_MIN_S = 0.1
RETRY_MAX_S = 3_600.0
# More bays than this are sent as a snapshot, not as `spaces`: it is shorter then, and stays far
# below the largest message allowed.
CHANGES_MAX = 1_000

Kind = Literal["spaces", "snapshot", "count"]


@dataclass(frozen=True, slots=True)
class Report:
    """The state of a lot, or of some of its bays, at one moment; not yet numbered.

    Attributes:
        kind: the last part of the topic.
        observed_at: RFC 3339 with offset.
        fields: what the kind carries besides `epoch`, `seq` and `observed_at`.
    """

    kind: Kind
    observed_at: str
    fields: Mapping[str, Any]

    @property
    def is_whole_state(self) -> bool:
        """Whether the report holds the whole state of its lot, not single changes."""
        return self.kind != "spaces"

    def encode(self, epoch: int, seq: int) -> bytes:
        """Return the message's JSON, with its number."""
        head = {"epoch": epoch, "seq": seq, "observed_at": self.observed_at}
        return orjson.dumps({**head, **self.fields})


class Number(msgspec.Struct, frozen=True):
    """A message's place in the order of its lot's messages."""

    epoch: int
    seq: int


class Ack(msgspec.Struct, frozen=True):
    """The platform's answer to one message; its other fields are not read.

    Attributes:
        epoch: of the message; None, and `seq` too, if the platform could not read it.
        seq: likewise.
        result: what the platform did with the message.
        reason: why it was refused.
        retry_s: if deferred, seconds after which to send it again.
        last: if superseded, the last number that the platform has applied.
    """

    epoch: int | None
    seq: int | None
    result: str
    reason: str | None = None
    retry_s: float = 0.0
    last: Number | None = None

    @property
    def number(self) -> tuple[int, int] | None:
        """The message's (epoch, seq)."""
        return None if self.epoch is None or self.seq is None else (self.epoch, self.seq)


_ACK = msgspec.json.Decoder(Ack)


def spaces_report(
    observed_at: str, occupied: Sequence[int], free: Sequence[int], unknown: Sequence[int] = ()
) -> Report:
    """Report bays (1 is the first) that became occupied, free or unknown; at least one in all."""
    fields = {"occupied": list(occupied), "free": list(free)}
    return Report("spaces", observed_at, fields | ({"unknown": list(unknown)} if unknown else {}))


def snapshot_report(
    observed_at: str, occupied: NDArray[np.bool_], unknown: NDArray[np.bool_] | None = None
) -> Report:
    """Report every bay of a lot.

    Args:
        observed_at: RFC 3339 with offset.
        occupied: shape (capacity,).
        unknown: likewise; no bay is both. None: none is unknown.
    """
    fields: dict[str, Any] = {"capacity": len(occupied), "occupied_bits": _bits(occupied)}
    if unknown is not None and unknown.any():
        fields["unknown_bits"] = _bits(unknown)
    return Report("snapshot", observed_at, fields)


def _bits(bays: NDArray[np.bool_]) -> str:
    return base64.b64encode(np.packbits(bays, bitorder="little").tobytes()).decode("ascii")


def count_report(observed_at: str, free: int, capacity: int | None) -> Report:
    """Report the free spaces of a lot that counts; `capacity` None means the registered one."""
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
    """Return the lot that an ack's topic ends with."""
    return topic.rpartition("/")[2]


def merge(first: Report, second: Report) -> Report | None:
    """Merge two reports into one with the same effect; `second` is the newer.

    None where the message would be too long, or where changes follow a whole state: then only a
    new whole state can replace them.
    """
    if second.is_whole_state:
        return second
    if first.is_whole_state:
        return None
    state: dict[int, str] = {}
    for report in (first, second):
        for name, bays in report.fields.items():
            state |= dict.fromkeys(bays, name)
    if len(state) > CHANGES_MAX:
        return None
    occupied, free, unknown = (
        sorted(bay for bay, is_now in state.items() if is_now == name)
        for name in ("occupied", "free", "unknown")
    )
    return spaces_report(second.observed_at, occupied, free, unknown)


def parse_ack(payload: bytes) -> Ack | None:
    """Read an ack; None if it is not one."""
    with contextlib.suppress(ValueError, RecursionError):
        return _ACK.decode(payload)
    return None
