"""What gateways send: topics and payloads, read strictly.

The public contract is the README's section "For operators". A payload becomes one of three
frozen reports, or a `RejectionError` that tells its sender why; nothing here knows the lots.
"""

import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

import msgspec

ROOT = "onelot/v1"
FEEDS = f"{ROOT}/feeds/#"
MAX_PAYLOAD_BYTES = 65_536
MAX_NUMBER = 2**53

_TOPIC = re.compile(rf"{ROOT}/feeds/([a-z0-9._-]+)/([a-z0-9._-]+)/([^/]+)")


class RejectionError(Exception):
    """A message that cannot be applied.

    Attributes:
        reason: One word for programs, such as `malformed` or `foreign_lot`.
        detail: A sentence for people.
        epoch: The message's epoch, where it could be read.
        seq: The message's sequence number, where it could be read.
    """

    def __init__(
        self, reason: str, detail: str, *, epoch: int | None = None, seq: int | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.epoch = epoch
        self.seq = seq


@dataclass(frozen=True, slots=True)
class FeedTopic:
    """`onelot/v1/feeds/{gateway_id}/{lot_id}/{kind}`, taken apart."""

    gateway_id: str
    lot_id: str
    kind: str

    @classmethod
    def parse(cls, topic: str) -> "FeedTopic | None":
        """Take a topic apart; None where it is not a feed's."""
        match = _TOPIC.fullmatch(topic)
        return cls(*match.groups()) if match else None

    @property
    def ack_topic(self) -> str:
        """Where the gateway hears what became of its message."""
        return f"{ROOT}/acks/{self.gateway_id}/{self.lot_id}"


def state_topic(lot_id: str) -> str:
    """Where a lot's committed state is retained."""
    return f"{ROOT}/state/{lot_id}"


Epoch = Annotated[int, msgspec.Meta(ge=0, le=MAX_NUMBER)]
Seq = Annotated[int, msgspec.Meta(ge=1, le=MAX_NUMBER)]
Bay = Annotated[int, msgspec.Meta(ge=1, le=MAX_NUMBER)]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_NUMBER)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every report of a lot carries.

    Attributes:
        epoch: Rises each time that the gateway starts its numbering again.
        seq: One more for each message of this lot within the epoch.
        observed_at: When the state was true at the lot.
    """

    reporting: ClassVar[str]

    epoch: Epoch
    seq: Seq
    observed_at: Instant


class SpacesReport(Report, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bays that changed, by number from 1."""

    reporting = "bays"

    occupied: tuple[Bay, ...] = ()
    free: tuple[Bay, ...] = ()
    unknown: tuple[Bay, ...] = ()

    def check(self) -> None:
        """Hold the lists against each other.

        Raises:
            RejectionError: `invalid`: no bay at all, or one in two lists.
        """
        named = len(self.occupied) + len(self.free) + len(self.unknown)
        if named == 0:
            raise RejectionError("invalid", "no bay is named", epoch=self.epoch, seq=self.seq)
        if named > 1 and self._overlap():
            raise RejectionError(
                "invalid", "a bay stands in two of the lists", epoch=self.epoch, seq=self.seq
            )

    def _overlap(self) -> bool:
        occupied, free, unknown = set(self.occupied), set(self.free), set(self.unknown)
        return len(occupied | free | unknown) < len(occupied) + len(free) + len(unknown)


class SnapshotReport(Report, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every bay of the lot, as bits: bay n at bit (n-1) mod 8 of byte (n-1) div 8."""

    reporting = "bays"

    capacity: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAYLOAD_BYTES * 8)]
    occupied_bits: str
    unknown_bits: str | None = None

    def check(self) -> None:
        """Decode both bitmaps once, so that what is wrong with them is found.

        Raises:
            RejectionError: `invalid`: not base64, a wrong length, padding, or a bay in both.
        """
        occupied, unknown = self.bitmaps()
        if occupied & unknown:
            raise RejectionError(
                "invalid", "a bay is both occupied and unknown", epoch=self.epoch, seq=self.seq
            )

    def bitmaps(self) -> tuple[int, int]:
        """Decode to (occupied, unknown), bay n at bit n-1 of each integer."""
        occupied = self._bitmap("occupied_bits", self.occupied_bits)
        if self.unknown_bits is None:
            return occupied, 0
        return occupied, self._bitmap("unknown_bits", self.unknown_bits)

    def _bitmap(self, field: str, text: str) -> int:
        try:
            raw = binascii.a2b_base64(text, strict_mode=True)
        except (binascii.Error, ValueError) as error:
            raise RejectionError(
                "invalid", f"{field} is not base64: {error}", epoch=self.epoch, seq=self.seq
            ) from None
        wanted = (self.capacity + 7) // 8
        bits = int.from_bytes(raw, "little")
        if len(raw) != wanted or bits >> self.capacity:
            raise RejectionError(
                "invalid",
                f"{field} must hold {wanted} bytes for {self.capacity} bays, padding bits 0",
                epoch=self.epoch,
                seq=self.seq,
            )
        return bits


class CountReport(Report, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Free spaces of a lot that counts at its gates."""

    reporting = "count"

    free: Count
    capacity: Count | None = None

    def check(self) -> None:
        """Hold the count against the capacity that came with it.

        Raises:
            RejectionError: `invalid`: more free than there are.
        """
        if self.capacity is not None and self.free > self.capacity:
            raise RejectionError(
                "invalid", "more spaces are free than there are", epoch=self.epoch, seq=self.seq
            )


AnyReport = SpacesReport | SnapshotReport | CountReport


class Status(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gateway's hint that it comes or goes; not a report."""

    status: str


_DECODERS: dict[str, msgspec.json.Decoder[AnyReport]] = {
    "spaces": msgspec.json.Decoder(SpacesReport),
    "snapshot": msgspec.json.Decoder(SnapshotReport),
    "count": msgspec.json.Decoder(CountReport),
}
_STATUS = msgspec.json.Decoder(Status)
_ANYTHING = msgspec.json.Decoder()


def parse_report(kind: str, payload: bytes) -> AnyReport:
    """Read one feed message.

    Args:
        kind: `spaces`, `snapshot` or `count`, the topic's last part.
        payload: JSON in UTF-8, at most 64 KiB.

    Returns:
        The report, true in itself; bay numbers and capacity are not yet held against the lot.

    Raises:
        RejectionError: `too_large`, `unknown_kind`, `malformed` or `invalid`.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise RejectionError("too_large", f"{len(payload)} bytes; at most {MAX_PAYLOAD_BYTES}")
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise RejectionError("unknown_kind", f"there is no feed {kind!r}")
    try:
        report = decoder.decode(payload)
    except msgspec.ValidationError as error:
        epoch, seq = readable_numbers(payload)
        raise RejectionError("invalid", str(error), epoch=epoch, seq=seq) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RejectionError("malformed", str(error)) from None
    report.check()
    return report


def parse_status(payload: bytes) -> Status:
    """Read a `status` message.

    Raises:
        RejectionError: `malformed` or `invalid`: not `{"status": "online"}` nor `"offline"`.
    """
    try:
        status = _STATUS.decode(payload)
    except msgspec.ValidationError as error:
        raise RejectionError("invalid", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RejectionError("malformed", str(error)) from None
    if status.status not in {"online", "offline"}:
        raise RejectionError("invalid", "status is neither online nor offline")
    return status


def readable_numbers(payload: bytes) -> tuple[int | None, int | None]:
    """Find epoch and seq of a message that is wrong elsewhere, for its ack; None if unreadable."""
    try:
        found: Any = _ANYTHING.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, None
    if not isinstance(found, dict):
        return None, None

    def number(name: str) -> int | None:
        value = found.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        return value if 0 <= value <= MAX_NUMBER else None

    return number("epoch"), number("seq")
