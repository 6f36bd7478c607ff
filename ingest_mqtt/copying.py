"""Bays that changed as rows of `space_event`, in PostgreSQL's binary format for COPY.

A message's rows differ in the bay's number and state alone. Made from repeated pieces they cost a
small part of what a tuple for each bay and its encoding do. Format: PostgreSQL's documentation,
"COPY", "Binary Format"; an integer there has its most significant byte first.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import compress
from struct import pack
from typing import Final

from sql.kinds import SpaceState

SPACE_EVENT: Final = ("lot_id", "number", "state", "observed_at", "received_at")
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_FIELDS: Final = pack(">h", len(SPACE_EVENT))
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FLAGS: Final = bytes.maketrans(b"01", b"\0\1")

# The fields of numbers from 1, as far as they have been needed.
_numbers: list[bytes] = []


def space_rows(
    lot_id: str,
    changes: Iterable[tuple[SpaceState, int]],
    observed_at: datetime,
    received_at: datetime,
) -> bytes:
    """Return rows of `space_event`.

    Args:
        lot_id: The lot.
        changes: States and the bays that are in them now, bay n at bit n-1.
        observed_at: From when the lot's age runs.
        received_at: When the message came.
    """
    head = _FIELDS + _field(lot_id.encode())
    times = _time(observed_at) + _time(received_at)
    rows: list[bytes] = []
    for state, bays in changes:
        if bays:
            tail = _field(state.encode()) + times
            rows += head, (tail + head).join(_numbers_of(bays)), tail
    return b"".join(rows)


def copied(rows: Iterable[bytes]) -> bytes:
    """Return rows as one text for COPY."""
    return b"".join((_HEADER, *rows, _END))


def _numbers_of(bays: int) -> Iterator[bytes]:
    missing = range(len(_numbers) + 1, bays.bit_length() + 1)
    _numbers.extend(_field(pack(">i", number)) for number in missing)
    return compress(_numbers, f"{bays:b}"[::-1].encode().translate(_FLAGS))


def _field(value: bytes) -> bytes:
    return pack(">i", len(value)) + value


def _time(at: datetime) -> bytes:
    return pack(">iq", 8, (at - _EPOCH) // _MICROSECOND)
