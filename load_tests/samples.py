"""Single measurements, kept in arrays: what happened when, and how long it took."""

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

PERCENTILES: Final = (50.0, 95.0, 99.0)

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Recorder:
    """Takes in measurements by kind while they come."""

    _ends_s: dict[str, "array[float]"] = field(default_factory=dict)
    _latencies_ms: dict[str, "array[float]"] = field(default_factory=dict)

    def add(self, kind: str, ended_s: float, latency_ms: float) -> None:
        """Keep one: the Unix second at which it ended, and how long it took."""
        self._ends_s.setdefault(kind, array("d")).append(ended_s)
        self._latencies_ms.setdefault(kind, array("d")).append(latency_ms)

    def samples(self) -> "Samples":
        """Return what was kept."""
        kinds = list(self._ends_s)
        return Samples(
            {
                kind: (np.array(self._ends_s[kind]), np.array(self._latencies_ms[kind]))
                for kind in kinds
            }
        )


@dataclass(frozen=True)
class Samples:
    """Measurements by kind: arrays of ends (Unix seconds) and of latencies (milliseconds)."""

    by_kind: Mapping[str, tuple[Floats, Floats]]

    def save(self, path: Path) -> None:
        """Write them to a file (npz)."""
        names = np.array(list(self.by_kind), dtype=str)
        columns = [column for pair in self.by_kind.values() for column in pair]
        np.savez(path, names, *columns)

    @classmethod
    def load(cls, path: Path) -> "Samples":
        """Read such a file."""
        with np.load(path) as file:
            names, *columns = (file[name] for name in file.files)
        pairs = zip(columns[::2], columns[1::2], strict=True)
        return cls(dict(zip((str(name) for name in names), pairs, strict=True)))

    def within(self, start_s: float, end_s: float) -> "Samples":
        """Return those that ended in a stretch of time, half-open."""
        cut = {}
        for kind, (ends, latencies) in self.by_kind.items():
            inside = (ends >= start_s) & (ends < end_s)
            if inside.any():
                cut[kind] = (ends[inside], latencies[inside])
        return Samples(cut)

    def figures(self, kind: str, length_s: float) -> "Figures | None":
        """Sum one kind up; None where there is nothing of it."""
        if kind not in self.by_kind:
            return None
        latencies = self.by_kind[kind][1]
        p50, p95, p99 = percentiles(latencies)
        longest = float(latencies.max())
        return Figures(len(latencies), len(latencies) / length_s, p50, p95, p99, longest)


@dataclass(frozen=True, slots=True)
class Figures:
    """A kind of request summed up; latencies in milliseconds."""

    number: int
    per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    longest_ms: float


def percentiles(values: Floats | Sequence[float]) -> tuple[float, float, float]:
    """Return the 50th, 95th and 99th percentile by nearest rank: each is a value that occurred."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    ranks = (max(math.ceil(share / 100.0 * len(ordered)), 1) for share in PERCENTILES)
    p50, p95, p99 = (float(ordered[rank - 1]) for rank in ranks)
    return p50, p95, p99


def per_second(ends_s: Floats, latencies_ms: Floats, start_s: float, length_s: int) -> Floats:
    """Sum up each second of a stretch.

    Returns:
        Shape (length_s, 4): how many ended in it, and their three percentiles; NaN where none.
    """
    rows = np.full((length_s, 1 + len(PERCENTILES)), np.nan)
    rows[:, 0] = 0
    seconds = np.floor(ends_s - start_s).astype(int)
    for second in range(length_s):
        inside = latencies_ms[seconds == second]
        if len(inside):
            rows[second] = (len(inside), *percentiles(inside))
    return rows
