"""The payloads that the platform publishes: acks to gateways, and lots' committed states."""

import base64
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from ingest_mqtt.effects import Ack
from ingest_mqtt.lots import Committed
from ingest_mqtt.wire import VERSION_DIGITS, AckMessage, Order, StateMessage
from sql.kinds import SPACE_CLASSES
from sql.lot_state_store import bitmap_bytes

_ENCODER = msgspec.json.Encoder()

T = TypeVar("T")


def ack_payload(ack: Ack, at: datetime) -> bytes:
    """Return the payload of an ack.

    Args:
        ack: The answer to a gateway.
        at: The platform's clock.
    """
    return _ENCODER.encode(
        AckMessage(
            epoch=ack.epoch,
            seq=ack.seq,
            result=ack.result,
            at=at.isoformat(),
            reason=_or_unset(ack.reason),
            detail=_or_unset(ack.detail),
            age_s=UNSET if ack.age_s is None else round(ack.age_s, 3),
            last=UNSET if ack.last is None else Order(*ack.last),
            retry_s=_or_unset(ack.retry_s),
        )
    )


def state_payload(lot_id: str, committed: Committed) -> bytes:
    """Return the payload of a lot's committed state."""
    state = committed.state
    by_class = state.free_by_class
    senses = state.occupied is not None and by_class is not None
    message = StateMessage(
        lot=lot_id,
        epoch=state.epoch,
        seq=state.seq,
        version=f"{committed.version:0{VERSION_DIGITS}d}",
        free_spaces=None if state.nothing_known else state.free_spaces,
        unknown_spaces=state.unknown_spaces,
        capacity=state.capacity,
        observed_at=state.observed_at.isoformat(),
        received_at=state.received_at.isoformat(),
        committed_at=committed.committed_at.isoformat(),
        occupied_bits=_base64(state.occupied, state.capacity) if senses else UNSET,
        unknown_bits=_base64(state.unknown, state.capacity) if senses else UNSET,
        free_by_class=dict(zip(SPACE_CLASSES, by_class, strict=True)) if by_class else UNSET,
    )
    return _ENCODER.encode(message)


def _or_unset(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value


def _base64(bits: int | None, capacity: int) -> str:
    return base64.b64encode(bitmap_bytes(bits, capacity) or b"").decode()
