"""The state of a lot in memory, from a row of the database or a message of the broker."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from ingest_mqtt.wire import StateMessage
from parking_api.city.queries import CityLot
from sql.kinds import SPACE_CLASSES

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


class State(msgspec.Struct, frozen=True, gc=False):
    """A lot as last committed.

    Attributes:
        version: Rises with each change.
        capacity: Spaces in service.
        free_spaces: Spaces known to be free; None where nothing is known of any.
        unknown_spaces: Spaces of which nothing is known.
        free_by_class: Free bays of each of `SPACE_CLASSES`; None where the gates count.
        observed_at: From when its age runs.
        committed_at: When it was committed.
        occupied_bits: Bay n at bit (n-1) mod 8 of byte (n-1) div 8; None where the gates count.
        unknown_bits: Likewise.
    """

    version: int
    capacity: int
    free_spaces: int | None
    unknown_spaces: int
    free_by_class: tuple[int, ...] | None
    observed_at: datetime
    committed_at: datetime
    occupied_bits: bytes | None
    unknown_bits: bytes | None


def micros(at: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (at - _EPOCH) // MICROSECOND


def state_of_message(message: StateMessage) -> State:
    """Return the state that a message tells.

    Raises:
        ValueError: A time, the version or a bitmap in it cannot be read.
    """
    by_class = message.free_by_class
    return State(
        version=int(message.version),
        capacity=message.capacity,
        free_spaces=message.free_spaces,
        unknown_spaces=message.unknown_spaces,
        free_by_class=None
        if by_class is UNSET
        else tuple(by_class.get(name, 0) for name in SPACE_CLASSES),
        observed_at=datetime.fromisoformat(message.observed_at),
        committed_at=datetime.fromisoformat(message.committed_at),
        occupied_bits=_bits(message.occupied_bits, message.capacity),
        unknown_bits=_bits(message.unknown_bits, message.capacity),
    )


def _bits(given: str | UnsetType, capacity: int) -> bytes | None:
    if given is UNSET:
        return None
    bits = b64decode(given, validate=True)
    if len(bits) != -(-capacity // 8):
        raise ValueError("a bitmap does not fit the capacity")
    return bits


def state_of_row(row: CityLot) -> State | None:
    """Return the state that a row has, or None before any report."""
    if row.version is None or row.observed_at is None or row.committed_at is None:
        return None
    by_class = (row.free_standard, row.free_accessible, row.free_ev, row.free_large)
    return State(
        version=row.version,
        capacity=row.capacity or 0,
        free_spaces=row.free_spaces,
        unknown_spaces=row.unknown_spaces or 0,
        free_by_class=None if None in by_class else by_class,  # type: ignore[arg-type]
        observed_at=row.observed_at,
        committed_at=row.committed_at,
        occupied_bits=row.occupied_bits,
        unknown_bits=row.unknown_bits,
    )
