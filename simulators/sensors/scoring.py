"""Scores of what the platform shows against what is true. No I/O."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from simulators.demand.levels import FloatArray
from simulators.sensors.bays import BoolArray

CLOSE_SPACES: Final = 2


@dataclass(frozen=True, slots=True)
class Look:
    """What the platform showed at one instant.

    Attributes:
        age_s: of each lot's state, seconds; NaN where nothing is known; shape (lots,).
        live: share of lots that are live.
        bays: of some lots, by position: which bays were shown as occupied, and which as unknown.
    """

    age_s: FloatArray
    live: float
    bays: dict[int, tuple[BoolArray, BoolArray]]


@dataclass(frozen=True, slots=True)
class Score:
    """How far the platform's picture is from the truth; None where there is nothing to score.

    Attributes:
        profile: of the faults.
        speed: the drivers' time over the wall clock's.
        lots: scored.
        steps: pairs of a lot and a step that the platform knew and the truth has.
        known: share of the pairs that the truth has which the platform knew.
        mean_error: mean absolute error of a lot's free spaces.
        bias: mean of shown less true free spaces.
        close: share of pairs within CLOSE_SPACES.
        bays_wrong: share of bays shown as what they are not.
        bays_unknown: share of bays shown as unknown.
        age_s: median age of a lot's state, seconds.
        age_p95_s: 95th percentile of it.
        live: mean share of lots that are live.
    """

    profile: str
    speed: float
    lots: int
    steps: int
    known: float | None
    mean_error: float | None
    bias: float | None
    close: float | None
    bays_wrong: float | None
    bays_unknown: float | None
    age_s: float | None
    age_p95_s: float | None
    live: float | None

    def row(self) -> dict[str, str | float | int | None]:
        """Return it as a row of a report."""
        return asdict(self)


def score(
    profile: str,
    speed: float,
    free: tuple[FloatArray, FloatArray],
    looks: Sequence[tuple[Look, Sequence[BoolArray]]],
) -> Score:
    """Score what was shown.

    Args:
        profile: of the faults.
        speed: of the drivers.
        free: mean free spaces of each step and lot, true and shown; shape (steps, lots), NaN
            where not known.
        looks: what was shown at an instant, and by lot which bays were then truly occupied.
    """
    true, shown = free
    there = np.isfinite(true)
    both = there & np.isfinite(shown)
    errors = (shown - true)[both]
    wrong, unknown, bays = _bays(looks)
    ages = np.concatenate([look.age_s for look, _ in looks]) if looks else np.empty(0)
    ages = ages[np.isfinite(ages)]
    return Score(
        profile=profile,
        speed=speed,
        lots=true.shape[1],
        steps=int(both.sum()),
        known=float(both.sum() / there.sum()) if there.any() else None,
        mean_error=_mean(np.abs(errors)),
        bias=_mean(errors),
        close=_mean((np.abs(errors) <= CLOSE_SPACES).astype(np.float64)),
        bays_wrong=wrong / bays if bays else None,
        bays_unknown=unknown / bays if bays else None,
        age_s=float(np.median(ages)) if len(ages) else None,
        age_p95_s=float(np.percentile(ages, 95)) if len(ages) else None,
        live=_mean(np.array([look.live for look, _ in looks])),
    )


def _mean(values: FloatArray) -> float | None:
    return float(values.mean()) if len(values) else None


def _bays(looks: Sequence[tuple[Look, Sequence[BoolArray]]]) -> tuple[int, int, int]:
    """Count bays that were shown wrongly, bays that were unknown, and all that were looked at."""
    wrong = unknown = bays = 0
    for look, truly in looks:
        for lot, (occupied, is_unknown) in look.bays.items():
            wrong += int(((occupied != truly[lot]) & ~is_unknown).sum())
            unknown += int(is_unknown.sum())
            bays += len(occupied)
    return wrong, unknown, bays


def read_scores(path: Path) -> list[Score]:
    """Read the scores that `python -m load_tests.sensors` has written; none if there is no file.

    Raises:
        ValueError: it is not such a file; the message names it.
    """
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Score])
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: {error}") from error


def table(rows: Sequence[Score]) -> str:
    """Write scores as a table in Markdown."""
    names = [profile.profile for profile in rows]
    lines = [f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    fields: tuple[tuple[str, str, float], ...] = (
        ("mean error of a lot's free spaces", "mean_error", 1),
        ("shown less true free spaces, mean", "bias", 1),
        (f"within {CLOSE_SPACES} spaces, %", "close", 100),
        ("steps known, %", "known", 100),
        ("bays shown wrongly, %", "bays_wrong", 100),
        ("bays unknown, %", "bays_unknown", 100),
        ("age of a lot's state, median, s", "age_s", 1),
        ("age, 95th percentile, s", "age_p95_s", 1),
        ("lots live, %", "live", 100),
    )
    for words, name, factor in fields:
        values = [row.row()[name] for row in rows]
        cells = [f"{float(value) * factor:.2f}" if value is not None else "-" for value in values]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
