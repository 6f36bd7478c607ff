"""What is true of the simulated lots, written beside the platform: `--truth DIR`.

A file of NumPy's `.npz` a span of SPAN_S of the wall clock, named by its first instant, such as
`truth-20261128T030010Z.npz`:

| array | type, shape | what |
|---|---|---|
| `lots` | text, (lots,) | lot ids; the order of all that follows |
| `capacity` | int32, (lots,) | bays of each lot |
| `senses` | bool, (lots,) | whether the lot reports its bays, or a count |
| `at_s` | float64, (samples,) | instants of the wall clock, Unix seconds, ascending |
| `demand_s` | float64, (samples,) | the drivers' time at each, Unix seconds |
| `free` | int32, (samples, lots) | free spaces |
| `bays_at_s` | float64, (looks,) | instants of the wall clock of `bays` |
| `bays` | uint8, (looks, ceil(sum of capacity / 8)) | whether each bay is occupied, lot by lot, as bits, least significant first |
| `profile`, `speed`, `seed` | text, float64, int64, () | of the run |
"""  # noqa: E501 - a table

import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from simulators.demand.levels import FloatArray
from simulators.sensors.bays import BoolArray, IntArray

SAMPLE_S: Final = 10
BAYS_S: Final = 60
SPAN_S: Final = 3_600
# Older files are removed. Of the whole city a file has at most some 5 MB.
FILES_MAX: Final = 48
_PATTERN: Final = "truth-*.npz"

log = structlog.get_logger(__name__)


class TruthError(Exception):
    """Files of truth that are missing, broken, or of different lots; the message names the file."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run is: its lots, and how it is simulated.

    Attributes:
        lots: lot ids.
        capacity: bays of each lot; shape (lots,).
        senses: whether each lot reports its bays; shape (lots,).
        profile: name of the profile of faults.
        speed: the drivers' time over the wall clock's.
        seed: of drivers and faults.
    """

    lots: Sequence[str]
    capacity: IntArray
    senses: BoolArray
    profile: str
    speed: float
    seed: int


class TruthWriter:
    """Writes the truth into a directory, which is made; a file is there as a whole or not at all.

    Args:
        directory: where to.
        run: what is written about.

    Raises:
        OSError: the directory cannot be made.
    """

    def __init__(self, directory: Path, run: Run) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._run = directory, run
        self._sampled = self._looked = -1.0
        self._clear(-1)

    def _clear(self, span: int) -> None:
        self._span = span
        self._at_s: list[float] = []
        self._demand_s: list[float] = []
        self._free: list[IntArray] = []
        self._bays_at_s: list[float] = []
        self._bays: list[NDArray[np.uint8]] = []

    def note(self, at_s: float, demand_s: float, free: IntArray, occupied: BoolArray) -> None:
        """Take in what is true at an instant, if a sample of it is due; to be called often.

        Args:
            at_s: the wall clock, Unix seconds.
            demand_s: the drivers' time, Unix seconds.
            free: free spaces of each lot, shape (lots,).
            occupied: of each bay, lot by lot, shape (bays,).
        """
        if at_s // SAMPLE_S == self._sampled:
            return
        self._sampled = at_s // SAMPLE_S
        if at_s // SPAN_S != self._span:
            self.flush()
            self._clear(int(at_s // SPAN_S))
        self._at_s.append(at_s)
        self._demand_s.append(demand_s)
        self._free.append(free.astype(np.int32))
        if at_s // BAYS_S != self._looked:
            self._looked = at_s // BAYS_S
            self._bays_at_s.append(at_s)
            self._bays.append(np.packbits(occupied, bitorder="little"))
            self.flush()

    def flush(self) -> None:
        """Write the file of the span so far, and remove old ones; a failure is said in the log."""
        if not self._at_s or not self._bays:
            return
        begun = datetime.fromtimestamp(self._at_s[0], UTC)
        path = self._directory / f"truth-{begun:%Y%m%dT%H%M%SZ}.npz"
        fresh = path.with_suffix(".new")
        try:
            with fresh.open("wb") as file:
                np.savez_compressed(file, allow_pickle=False, **self._arrays())
            fresh.replace(path)
            for old in sorted(self._directory.glob(_PATTERN))[:-FILES_MAX]:
                old.unlink(missing_ok=True)
        except OSError as error:
            log.warning("truth not written", file=str(path), error=str(error))
            with suppress(OSError):
                fresh.unlink(missing_ok=True)

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        run = self._run
        return {
            "lots": np.array(run.lots),
            "capacity": run.capacity.astype(np.int32),
            "senses": run.senses,
            "at_s": np.array(self._at_s),
            "demand_s": np.array(self._demand_s),
            "free": np.array(self._free),
            "bays_at_s": np.array(self._bays_at_s),
            "bays": np.array(self._bays),
            "profile": np.array(run.profile),
            "speed": np.array(run.speed),
            "seed": np.array(run.seed),
        }


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of all files of a directory.

    Attributes:
        run: what the newest is about.
        at_s: as in the files.
        free: as in the files.
        bays_at_s: as in the files.
        bays: as in the files.
    """

    run: Run
    at_s: FloatArray
    free: IntArray
    bays_at_s: FloatArray
    bays: NDArray[np.uint8]

    def occupied(self, look: int) -> list[BoolArray]:
        """Return which bays of each lot were occupied at a look."""
        bits = np.unpackbits(self.bays[look], bitorder="little").astype(np.bool_)
        ends = np.cumsum(self.run.capacity)
        return np.split(bits[: ends[-1]], ends[:-1])

    def mean_free(self, step_starts_s: FloatArray, step_s: float) -> FloatArray:
        """Return the mean free spaces of steps; shape (steps, lots), NaN where nothing is known."""
        means = np.full((len(step_starts_s), len(self.run.lots)), np.nan)
        for row, start_s in enumerate(step_starts_s):
            inside = (self.at_s >= start_s) & (self.at_s < start_s + step_s)
            if inside.any():
                means[row] = self.free[inside].mean(axis=0)
        return means


def read_truth(directory: Path) -> Truth:
    """Read the truth of all files in a directory.

    Raises:
        TruthError: there is none, a file is broken, or of other lots or another profile.
    """
    files = sorted(directory.glob(_PATTERN))
    if not files:
        raise TruthError(f"{directory}: no {_PATTERN}")
    parts = [_read(path) for path in files]
    run, last = parts[-1].run, files[-1]
    for path, part in zip(files, parts, strict=True):
        if list(part.run.lots) != list(run.lots) or part.run.profile != run.profile:
            raise TruthError(f"{path}: of other lots or another profile than {last.name}")
    return Truth(
        run,
        np.concatenate([part.at_s for part in parts]),
        np.concatenate([part.free for part in parts]),
        np.concatenate([part.bays_at_s for part in parts]),
        np.concatenate([part.bays for part in parts]),
    )


def _read(path: Path) -> Truth:
    try:
        with np.load(path, allow_pickle=False) as held:
            run = Run(
                [str(lot) for lot in held["lots"]],
                held["capacity"].astype(np.int64),
                held["senses"],
                str(held["profile"]),
                float(held["speed"]),
                int(held["seed"]),
            )
            free = held["free"].astype(np.int64)
            truth = Truth(run, held["at_s"], free, held["bays_at_s"], held["bays"])
    except (OSError, EOFError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise TruthError(f"{path}: {error!r}") from error
    except zipfile.BadZipFile as error:
        raise TruthError(f"{path}: {error}") from error
    if wrong := _wrong(truth):
        raise TruthError(f"{path}: {wrong}")
    return truth


def _wrong(truth: Truth) -> str | None:
    """Return what is wrong with the arrays of a file; None if they fit together."""
    run, lots = truth.run, len(truth.run.lots)
    shapes: dict[str, tuple[NDArray[np.generic], tuple[int, ...]]] = {
        "capacity": (run.capacity, (lots,)),
        "senses": (run.senses, (lots,)),
        "at_s": (truth.at_s, (len(truth.free),)),
        "free": (truth.free, (len(truth.free), lots)),
        "bays_at_s": (truth.bays_at_s, (len(truth.bays),)),
        "bays": (truth.bays, (len(truth.bays), -(-int(run.capacity.sum()) // 8))),
    }
    for name, (array, shape) in shapes.items():
        if array.shape != shape:
            return f"{name} has the shape {array.shape}, not {shape}"
    if not (lots and len(truth.at_s) and len(truth.bays_at_s)):
        return "has no lot, sample or look"
    if (run.capacity < 1).any() or (truth.free < 0).any() or (truth.free > run.capacity).any():
        return "free is not from 0 to the capacity"
    for name, at_s in (("at_s", truth.at_s), ("bays_at_s", truth.bays_at_s)):
        if not (np.isfinite(at_s).all() and (np.diff(at_s) >= 0).all()):
            return f"{name} does not ascend"
    return None
