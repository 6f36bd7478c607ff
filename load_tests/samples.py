"""Single measurements, kept in arrays: what happened when, and how long it took."""

import json
import math
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PERCENTILES: Final = (50.0, 95.0, 99.0)

Floats = NDArray[np.float64]


class Recorder:
    """Takes in measurements by kind while they come."""

    def __init__(self) -> None:
        # End and latency of each measurement, by turns.
        self._by_kind: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))

    def add(self, kind: str, ended_s: float, latency_ms: float) -> None:
        """Keep one: the Unix second at which it ended, and how long it took."""
        self._by_kind[kind].extend((ended_s, latency_ms))

    def samples(self) -> "Samples":
        """Return what was kept."""
        return Samples(
            {
                kind: (np.array(values[::2]), np.array(values[1::2]))
                for kind, values in self._by_kind.items()
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
        return Figures(
            len(latencies), len(latencies) / length_s, p50, p95, p99, float(latencies.max())
        )


def write_outcome(
    directory: Path,
    samples: Samples,
    measured: tuple[float, float],
    failures: list[dict[str, Any]],
    counted: Mapping[str, int],
    *,
    notes: Sequence[str] = (),
) -> None:
    """Write what a process that makes load hands back: `samples.npz` and `outcome.json`.

    Args:
        directory: Where.
        samples: Of all the run.
        measured: Unix seconds at which the measuring began and ended.
        failures: Wrong answers and refused messages: `name`, `problem`, `times`.
        counted: Other things, by name.
        notes: Other results, in words.
    """
    samples.save(directory / "samples.npz")
    started_s, ended_s = measured
    outcome = {
        "started_s": started_s,
        "ended_s": ended_s,
        "failures": failures,
        "counted": counted,
        "notes": list(notes),
    }
    (directory / "outcome.json").write_text(json.dumps(outcome, indent=1), encoding="utf-8")


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
