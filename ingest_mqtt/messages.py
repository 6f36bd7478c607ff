"""The messages of gateways: their models, read strictly; topics are in `ingest_mqtt.wire`.

The public contract is `docs/contract/feeds.md`. A payload becomes one of three
frozen reports, or a `RejectionError` that tells its sender why; nothing here knows the lots.
What a refusal says never quotes the payload.
"""

import binascii
import re
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal, TypeGuard

import msgspec
from msgspec import Meta

from ingest_mqtt.syntax import Members, NotJsonError, read
from ingest_mqtt.wire import MAX_NUMBER, Epoch, Refusal, Seq

MAX_PAYLOAD_BYTES = 65_536
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class RejectionError(Exception):
    """A message that cannot be applied.

    Attributes:
        reason: One word for programs, such as `malformed` or `foreign_lot`.
        detail: A sentence for people.
        epoch: The message's epoch, where it could be read.
        seq: The message's sequence number, where it could be read.
    """

    def __init__(
        self,
        reason: Refusal | Literal["unknown_topic"],
        detail: str,
        *,
        epoch: int | None = None,
        seq: int | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.epoch = epoch
        self.seq = seq


Bay = Annotated[int, Meta(ge=1, le=MAX_NUMBER)]
Bays = tuple[Bay, ...]
Count = Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
# What a JSON Schema can say of bitmaps; `SnapshotReport.check` holds all of it.
BASE64 = Meta(
    extra_json_schema={
        "contentEncoding": "base64",
        "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
        "minLength": 4,
    }
)


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of every report of a lot."""

    reporting: ClassVar[str]

    epoch: Epoch
    seq: Seq
    observed_at: Annotated[
        datetime,
        Meta(
            tz=True,
            extra_json_schema={
                "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-5][0-9]"
                r"(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
            },
            description="When the state was true at the lot: RFC 3339 with offset, from "
            "2000-01-01, at most 5 minutes ahead of the platform's clock.",
        ),
    ]

    def refused(self, reason: Refusal, detail: str) -> RejectionError:
        """Return the refusal of this report, with its numbers for the ack."""
        return RejectionError(reason, detail, epoch=self.epoch, seq=self.seq)


class SpacesReport(Report, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bays that changed, by number from 1.

    Beyond the schema: no bay stands in two of the lists, and none is beyond the lot's capacity.
    """

    reporting = "bays"

    occupied: Annotated[Bays, Meta(description="Bays that are occupied now.")] = ()
    free: Annotated[Bays, Meta(description="Bays that are free now.")] = ()
    unknown: Annotated[Bays, Meta(description="Bays of which nothing is known now.")] = ()

    def check(self) -> None:
        """Hold the lists against each other.

        Raises:
            RejectionError: `invalid`: no bay at all, or one in two lists.
        """
        named = len(self.occupied) + len(self.free) + len(self.unknown)
        if named == 0:
            raise self.refused("invalid", "no bay is named")
        if named > 1 and self._overlap():
            raise self.refused("invalid", "a bay stands in two of the lists")

    def _overlap(self) -> bool:
        occupied, free, unknown = set(self.occupied), set(self.free), set(self.unknown)
        return len(occupied | free | unknown) < len(occupied) + len(free) + len(unknown)


class SnapshotReport(Report, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every bay of the lot, as bits: bay n at bit (n-1) mod 8 of byte (n-1) div 8.

    Beyond the schema: each bitmap has ceil(capacity / 8) bytes, its padding bits are 0, no bay is
    both occupied and unknown, and the capacity is at most the registered one.
    """

    reporting = "bays"

    capacity: Annotated[
        int, Meta(ge=1, le=MAX_PAYLOAD_BYTES * 8, description="Bays that the bitmaps cover.")
    ]
    occupied_bits: Annotated[str, BASE64, Meta(description="Bays that are occupied.")]
    unknown_bits: Annotated[
        Annotated[str, BASE64] | None, Meta(description="Bays of which nothing is known.")
    ] = None

    def check(self) -> None:
        """Decode both bitmaps once, so that what is wrong with them is found.

        Raises:
            RejectionError: `invalid`: not base64, a wrong length, padding, or a bay in both.
        """
        occupied, unknown = self.bitmaps()
        if occupied & unknown:
            raise self.refused("invalid", "a bay is both occupied and unknown")

    def bitmaps(self) -> tuple[int, int]:
        """Decode to (occupied, unknown), bay n at bit n-1 of each integer."""
        occupied = self._bitmap("occupied_bits", self.occupied_bits)
        if self.unknown_bits is None:
            return occupied, 0
        return occupied, self._bitmap("unknown_bits", self.unknown_bits)

    def _bitmap(self, field: str, text: str) -> int:
        try:
            raw = binascii.a2b_base64(text, strict_mode=True)
        except ValueError:
            raise self.refused("invalid", f"{field} is not base64") from None
        wanted = (self.capacity + 7) // 8
        bits = int.from_bytes(raw, "little")
        if len(raw) != wanted or bits >> self.capacity:
            raise self.refused(
                "invalid",
                f"{field} must hold {wanted} bytes for {self.capacity} bays, padding bits 0",
            )
        return bits


class CountReport(Report, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Free spaces of a lot that counts at its gates.

    Beyond the schema: free is at most the capacity, and that at most the registered one.
    """

    reporting = "count"

    free: Annotated[Count, Meta(description="Spaces that are free now.")]
    capacity: Annotated[
        Count | None, Meta(description="Spaces in service; without it, the registered capacity.")
    ] = None

    def check(self) -> None:
        """Hold the count against the capacity that came with it.

        Raises:
            RejectionError: `invalid`: more free than there are.
        """
        if self.capacity is not None and self.free > self.capacity:
            raise self.refused("invalid", "more spaces are free than there are")


AnyReport = SpacesReport | SnapshotReport | CountReport


class Status(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gateway's hint that it comes or goes; not a report."""

    status: Annotated[str, Meta(extra_json_schema={"enum": ["online", "offline"]})]


REPORTS: dict[str, type[AnyReport]] = {
    "spaces": SpacesReport,
    "snapshot": SnapshotReport,
    "count": CountReport,
}
_DECODERS: dict[str, msgspec.json.Decoder[AnyReport]] = {
    kind: msgspec.json.Decoder(report) for kind, report in REPORTS.items()
}
_NAMES = {
    kind: [f'"{name}"'.encode() for name in report.__struct_fields__]
    for kind, report in REPORTS.items()
}
_STATUS = msgspec.json.Decoder(Status)

# The decoder's sentences that name types, rules and fields of ours; the others may quote.
_SAFE_DETAIL = re.compile(
    r"(Expected `[^`]*`(, got `[a-z]+`| [<>]=? \d+)?|Object missing required field `\w+`"
    r"|Invalid RFC3339 encoded datetime|Integer value out of range)( - at `\$[\w.\[\]]*`)?"
)
# The decoder takes +0800 for an offset; RFC 3339 does not.
_OFFSET_WITHOUT_COLON = re.compile(rb'"observed_at"\s*:\s*"[^"]*[+-][0-9]{4}"')
_PATH = re.compile(r" - at `(\$[\w.\[\]]*)`$")
_UNKNOWN_FIELD = "Object contains unknown field"


def parse_report(kind: str, payload: bytes) -> AnyReport:
    """Read one feed message.

    Args:
        kind: `spaces`, `snapshot` or `count`, the topic's last part.
        payload: JSON in UTF-8, at most 64 KiB.

    Returns:
        The report, consistent in itself; not yet checked against the lot's bays and capacity.

    Raises:
        RejectionError: `too_large`, `unknown_kind`, `malformed` or `invalid`.
    """
    _check_size(payload)
    decoder = _DECODERS.get(kind)
    if decoder is None:
        epoch, seq = readable_numbers(payload)
        raise RejectionError("unknown_kind", "there is no such feed", epoch=epoch, seq=seq)
    try:
        report = decoder.decode(payload)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise _explain(payload, error) from None
    # Where nothing is escaped, no string can hold a quotation mark, so that names can be counted.
    if b"\\" in payload or any(payload.count(name) > 1 for name in _NAMES[kind]):
        payload = msgspec.json.encode(_refuse_doubled(payload))
    if _OFFSET_WITHOUT_COLON.search(payload):
        raise report.refused("invalid", "Invalid RFC3339 encoded datetime - at `$.observed_at`")
    if report.observed_at < EARLIEST:
        raise report.refused("invalid", "observed_at is before 2000-01-01")
    report.check()
    return report


def parse_status(payload: bytes) -> Status:
    """Read a `status` message.

    Raises:
        RejectionError: `too_large`, `malformed` or `invalid`: not `{"status": "online"}` nor
            `"offline"`.
    """
    _check_size(payload)
    try:
        status = _STATUS.decode(payload)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise _explain(payload, error) from None
    _refuse_doubled(payload)
    if status.status not in {"online", "offline"}:
        raise RejectionError("invalid", "status is neither online nor offline")
    return status


def readable_numbers(payload: bytes) -> tuple[int | None, int | None]:
    """Find epoch and seq of a message that is wrong elsewhere, for its ack; None if unreadable."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        return None, None
    try:
        return _numbers(read(payload))
    except NotJsonError:
        return None, None


def _check_size(payload: bytes) -> None:
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise RejectionError("too_large", f"more than {MAX_PAYLOAD_BYTES} bytes")


def _explain(payload: bytes, error: Exception) -> RejectionError:
    """Return what is wrong with a refused text: encoding and syntax first, then content."""
    try:
        found = read(payload)
    except NotJsonError as fault:
        return RejectionError("malformed", str(fault))
    if not isinstance(error, msgspec.ValidationError):
        return RejectionError("malformed", "a value cannot be read")
    epoch, seq = _numbers(found)
    if isinstance(found, Members) and found.doubled:
        return RejectionError("invalid", _DOUBLED, epoch=epoch, seq=seq)
    return RejectionError("invalid", _detail(str(error)), epoch=epoch, seq=seq)


def _detail(sentence: str) -> str:
    if _SAFE_DETAIL.fullmatch(sentence):
        return sentence
    if sentence.startswith(_UNKNOWN_FIELD):
        return "a field that the contract does not know"
    path = _PATH.search(sentence)
    return "a value is not as the contract says" + (f" - at `{path[1]}`" if path else "")


_DOUBLED = "a field is given twice"


def _refuse_doubled(payload: bytes) -> object:
    """Return what a message says; refuse one that has a field twice: its meaning is ambiguous."""
    try:
        found = read(payload)
    except NotJsonError as fault:
        raise RejectionError("malformed", str(fault)) from None
    if isinstance(found, Members) and found.doubled:
        epoch, seq = _numbers(found)
        raise RejectionError("invalid", _DOUBLED, epoch=epoch, seq=seq)
    return found


def _numbers(found: object) -> tuple[int | None, int | None]:
    if not isinstance(found, Members):
        return None, None
    return _number(found, "epoch", 0), _number(found, "seq", 1)


def _number(found: Members, name: str, least: int) -> int | None:
    value = found.get(name)
    return value if is_number(value, least) and name not in found.doubled else None


def is_number(value: object, least: int) -> TypeGuard[int]:
    """Return whether a value is an integer from `least` to the contract's greatest."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= MAX_NUMBER
