"""The bays of the city in memory: their places, and which of them are free."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parking_api import worker
from parking_api.city.distances import Floats
from sql.engine import Transaction

# As in `SPACE_STATES`.
FREE, OCCUPIED, UNKNOWN_BAY = range(3)
# A row of `city.all_bays` as COPY writes it: big-endian, each value after its length.
_ROW: Final = np.dtype(
    [
        ("fields", ">i2"),
        *(
            column
            for name, kind in (
                ("lot_place", ">i4"),
                ("number", ">i4"),
                ("level", ">i2"),
                ("space_class", ">i2"),
                ("longitude", ">f8"),
                ("latitude", ">f8"),
            )
            for column in ((f"{name}_length", ">i4"), (name, kind))
        ),
    ]
)
_KINDS: Final[Mapping[str, type[np.generic]]] = {
    "lot_place": np.int32,
    "number": np.int32,
    "level": np.int16,
    "space_class": np.int16,
    "longitude": np.float64,
    "latitude": np.float64,
}
_Columns = tuple[NDArray[Any], ...]
# Parts of some 64 KiB that are made into columns at a time.
_PARTS: Final = 64
# Ten cities take 20 s; nobody waits for them.
_WITHIN_S: Final = 300.0
# No degree of WGS 84 is longer: one of latitude at a pole; along a parallel, by its cosine.
_DEGREE_M: Final = 111_700.0
_ROUNDING_M: Final = 0.001
# Lots that are looked at together: some 100,000 bays.
_LOTS: Final = 500
# Signature, flags and the length of no extension; then the rows; then a count of -1.
_HEAD: Final = 19
_TAIL: Final = 2


@dataclass(frozen=True)
class Bays:
    """Every bay, by lot and number.

    Attributes:
        starts: Where each lot's bays start in the arrays below, shape (lots + 1,).
        numbers: The lot's own numbering, from 1, shape (bays,).
        levels: 0 is street level, -1 the first basement.
        classes: Index in `SPACE_CLASSES`.
        lons: Degrees in WGS 84.
        lats: Likewise.
    """

    starts: NDArray[np.intp]
    numbers: NDArray[np.int32]
    levels: NDArray[np.int16]
    classes: NDArray[np.int16]
    lons: Floats
    lats: Floats

    def of_lot(self, index: int) -> slice:
        """Return where a lot's bays stand."""
        return slice(self.starts[index], self.starts[index + 1])

    def spreads_m(self, lons: Floats, lats: Floats) -> Floats:
        """Return a bound on how far each lot's bays lie from its point, in metres.

        It is the length of the path that is straight in degrees, were a degree all along as long as
        it is where it is longest: up to 2 % more than the geodesic.

        Args:
            lons: Of the lots, degrees in WGS 84.
            lats: Likewise.
        """
        found = np.zeros(len(lons))
        for first in range(0, len(lons), _LOTS):
            some = slice(first, first + _LOTS)
            starts = self.starts[first : first + _LOTS + 1]
            counts, bays = np.diff(starts), slice(starts[0], starts[-1])
            north, lot_lats = self.lats[bays], np.repeat(lats[some], counts)
            across = self.lons[bays] - np.repeat(lons[some], counts)
            across -= 360 * np.rint(across / 360)
            across *= np.cos(np.radians(np.minimum(np.abs(north), np.abs(lot_lats))))
            squares = np.square(_DEGREE_M * across) + np.square(_DEGREE_M * (north - lot_lats))
            has_bays = np.flatnonzero(counts)
            if len(has_bays):
                starts = starts[has_bays] - starts[0]
                found[first + has_bays] = np.sqrt(np.maximum.reduceat(squares, starts))
        return found + _ROUNDING_M

    def lots_of(self, bays: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the lot of each of some bays."""
        return self.starts.searchsorted(bays, "right") - 1

    def states(
        self, index: int, capacity: int, occupied: bytes, unknown: bytes
    ) -> NDArray[np.int8]:
        """Return the state of each bay of a lot, as indices of `SPACE_STATES`.

        Args:
            index: The lot.
            capacity: Bays beyond it are unknown.
            occupied: Bay n at bit (n-1) mod 8 of byte (n-1) div 8.
            unknown: Likewise.
        """
        numbers = self.numbers[self.of_lot(index)]
        found = np.full(len(numbers), UNKNOWN_BAY, dtype=np.int8)
        within = numbers <= capacity
        bits = numbers[within] - 1
        found[within] = np.where(
            _unpacked(unknown)[bits],
            UNKNOWN_BAY,
            np.where(_unpacked(occupied)[bits], OCCUPIED, FREE),
        )
        return found


def _unpacked(packed: bytes) -> NDArray[np.uint8]:
    return np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little")


async def read_bays(db: Transaction, statement: str, lots: int) -> Bays:
    """Read every bay by COPY: much cheaper than rows.

    Args:
        db: In the transaction in which the lots are read.
        statement: `city.all_bays`.
        lots: How many lots there are.
    """
    blocks: list[_Columns] = []
    parts: list[bytes] = []

    async def take(part: bytes) -> None:
        parts.append(part)
        if len(parts) >= _PARTS:
            blocks.append(await worker.off_loop(_columns, parts, skipped=0 if blocks else _HEAD))

    await db.copy_from_query(statement, output=take, format="binary", timeout=_WITHIN_S)
    blocks.append(await worker.off_loop(_columns, parts, skipped=0 if blocks else _HEAD))
    return await worker.off_loop(_bays, blocks, lots)


def _columns(parts: list[bytes], skipped: int) -> _Columns:
    """Make columns of the whole rows in parts of what COPY writes, and leave what follows them.

    Args:
        parts: In their order; one is left.
        skipped: Bytes before the first row.
    """
    copied = b"".join(parts)
    count = (len(copied) - skipped) // _ROW.itemsize
    parts[:] = [copied[skipped + count * _ROW.itemsize :]]
    rows = np.frombuffer(copied, _ROW, count, skipped)
    return tuple(rows[name].astype(kind) for name, kind in _KINDS.items())


def _bays(blocks: list[_Columns], lots: int) -> Bays:
    places, numbers, levels, classes, lons, lats = map(np.concatenate, zip(*blocks, strict=True))
    blocks.clear()
    order = np.lexsort((numbers, places))
    return Bays(
        starts=np.searchsorted(places[order], np.arange(1, lots + 2)),
        numbers=numbers[order],
        levels=levels[order],
        classes=classes[order],
        lons=lons[order],
        lats=lats[order],
    )


def no_bays(lots: int) -> Bays:
    """Return the bays of a city that has none."""
    return _bays([_columns([bytes(_HEAD + _TAIL)], _HEAD)], lots)
