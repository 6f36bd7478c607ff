"""What the platform publishes: acks to gateways, and lots' committed state."""

import base64
from datetime import datetime

import msgspec

from ingest_mqtt.effects import Ack
from ingest_mqtt.lots import Committed
from sql.kinds import SPACE_CLASSES
from sql.lot_state_store import bitmap_bytes

_ENCODER = msgspec.json.Encoder()
VERSION_DIGITS = 20


def ack_payload(ack: Ack, at: datetime) -> bytes:
    """Encode what a gateway is told.

    Args:
        ack: What became of its message.
        at: The platform's clock.
    """
    answer: dict[str, object] = {
        "epoch": ack.epoch,
        "seq": ack.seq,
        "result": ack.result,
        "at": _instant(at),
    }
    if ack.reason is not None:
        answer |= {"reason": ack.reason, "detail": ack.detail}
    if ack.age_s is not None:
        answer["age_s"] = round(ack.age_s, 3)
    if ack.last is not None:
        answer["last"] = {"epoch": ack.last[0], "seq": ack.last[1]}
    if ack.retry_s is not None:
        answer["retry_s"] = ack.retry_s
    return _ENCODER.encode(answer)


def state_payload(lot_id: str, committed: Committed) -> bytes:
    """Encode a lot as last committed, bitmaps in base64 where its bays are sensed.

    `free_spaces` is null where nothing is known of any space.
    """
    state = committed.state
    answer: dict[str, object] = {
        "lot": lot_id,
        "epoch": state.epoch,
        "seq": state.seq,
        "version": f"{committed.version:0{VERSION_DIGITS}d}",
        "free_spaces": None if state.nothing_known else state.free_spaces,
        "unknown_spaces": state.unknown_spaces,
        "capacity": state.capacity,
        "observed_at": _instant(state.observed_at),
        "received_at": _instant(state.received_at),
        "committed_at": _instant(committed.committed_at),
    }
    if state.occupied is not None and state.free_by_class is not None:
        answer |= {
            "occupied_bits": _base64(state.occupied, state.capacity),
            "unknown_bits": _base64(state.unknown, state.capacity),
            "free_by_class": dict(zip(SPACE_CLASSES, state.free_by_class, strict=True)),
        }
    return _ENCODER.encode(answer)


def _instant(at: datetime) -> str:
    return at.isoformat()


def _base64(bits: int | None, capacity: int) -> str:
    return base64.b64encode(bitmap_bytes(bits, capacity) or b"").decode()
