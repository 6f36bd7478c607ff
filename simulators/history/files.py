"""Files of days as the platform's import of history takes them (docs/operators.md).

A file of a day is written beside and renamed, so that it is whole or not there. What a directory
was made of stands in a hidden file of it: one of another city, seed or demand is not mixed in.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulators.demand.flow import STEP_S
from simulators.demand.parameters import DEMO_FILE
from simulators.history.past import STEPS, Past
from simulators.registry import Lot

_MADE_OF: Final = ".history.json"
# One that packs better takes four times as long.
_PACKING: Final = 3
# What reading a file raises that was cut off or is none of ours; it is written again.
_BROKEN: Final = (EOFError, UnicodeDecodeError, gzip.BadGzipFile, zlib.error)
TIMES: Final = tuple(
    f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, STEPS * STEP_S // 60, STEP_S // 60)
)


class OtherHistoryError(Exception):
    """The directory has the history of another city, seed or demand, or none of ours."""


class Files:
    """The files of a directory.

    Args:
        directory: made if it is not there.
        past: whose days they have.

    Raises:
        OtherHistoryError: it has other files, or those of another past.
    """

    def __init__(self, directory: Path, past: Past) -> None:
        self._directory = directory
        self._lots = past.lots
        directory.mkdir(parents=True, exist_ok=True)
        marker, made_of = directory / _MADE_OF, _made_of(past)
        if marker.exists():
            if marker.read_bytes() != made_of.encode():
                raise OtherHistoryError(
                    f"{directory} has the history of another city, seed or demand"
                )
        elif any(directory.iterdir()):
            raise OtherHistoryError(f"{directory} has other files")
        else:
            _write(marker, made_of.encode())
        # Of each half bay, as a file has it.
        most = max(lot.capacity for lot in past.lots)
        self._texts = [f"{half / 2:g}" for half in range(2 * most + 1)]

    def path(self, day: date) -> Path:
        """Return where the file of a day is."""
        return self._directory / f"{day}.csv.gz"

    def has(self, day: date, steps: range) -> bool:
        """Tell whether the file of a day is there, whole, with just these steps."""
        try:
            with gzip.open(self.path(day), "rt", encoding="utf-8") as file:
                is_of_steps = file.readline() == _header(steps)
                return is_of_steps and sum(1 for _ in file) == len(self._lots)
        except (FileNotFoundError, *_BROKEN):
            return False

    def write(self, day: date, steps: range, halves: NDArray[np.int64]) -> None:
        """Write the file of a day.

        Args:
            day: in UTC.
            steps: those to write, 0..287.
            halves: twice the occupied bays of each lot in each step of the day; (lots, 288).
        """
        rows = [_header(steps)]
        for lot, values in zip(
            self._lots, halves[:, steps.start : steps.stop].tolist(), strict=True
        ):
            cells = ",".join(map(self._texts.__getitem__, values))
            rows.append(f"{lot.lot_id},{lot.capacity},{cells}\n")
        # Without the time of writing: the same day is the same file.
        _write(self.path(day), gzip.compress("".join(rows).encode(), _PACKING, mtime=0))


def _write(path: Path, content: bytes) -> None:
    """Write a file that is whole or not there."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _header(steps: range) -> str:
    return f"lot_id,capacity,{','.join(TIMES[step] for step in steps)}\n"


def _made_of(past: Past) -> str:
    lots = hashlib.sha256(repr([_as_lived(lot) for lot in past.lots]).encode()).hexdigest()
    demand = hashlib.sha256(DEMO_FILE.read_bytes()).hexdigest()
    return json.dumps({"lots": lots, "seed": past.seed, "demand": demand}) + "\n"


def _as_lived(lot: Lot) -> Sequence[object]:
    return lot.lot_id, lot.capacity, lot.land_use, lot.opens_at, lot.closes_at
