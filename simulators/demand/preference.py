"""Which bays drivers like: those near the entrance, and those that are for everybody."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.registry import Lot, RegistryError

IntArray = NDArray[np.int64]

# By how many places of a hundred a bay's class sets it back. Few cars charge, fewer may use an
# accessible bay, and large ones lie aside.
SET_BACK: Final = {"standard": 0, "ev": 40, "accessible": 90, "large": 30}
# A level away from the street counts more than any place on a level.
_LEVEL: Final = 1_000


def read_ranks(path: Path, lots: Sequence[Lot]) -> IntArray:
    """Return a rank for each bay of the lots, lot by lot: low ones are preferred; shape (bays,).

    Levels count from the street, up or down; then the number, which begins at the entrance.

    Args:
        path: `bays.csv` of the import format.
        lots: of the city; bays that the file does not have come last in their lot.

    Raises:
        RegistryError: the file cannot be read, or a row lacks a column or has a bad number.
    """
    offsets = np.concatenate(([0], np.cumsum([lot.capacity for lot in lots]))).tolist()
    ranges = {lot.lot_id: (first, lot.capacity) for lot, first in zip(lots, offsets, strict=False)}
    ranks = np.full(offsets[-1], np.iinfo(np.int64).max)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                first, capacity = ranges.get(row["lot_id"], (0, 0))
                number = int(row["number"])
                if 1 <= number <= capacity:
                    place = 100 * number // capacity + SET_BACK.get(row["space_class"], 0)
                    ranks[first + number - 1] = abs(int(row["level"])) * _LEVEL + place
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RegistryError(f"{path}: {error!r}") from error
    return ranks
