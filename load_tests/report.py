"""The report: what was measured, and the goals."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from load_tests.crowds import QUESTIONS_PER_HOUR
from load_tests.kinds import ACK, EMPTY, FRESH, HELD_PER_S, NEAREST, RECONNECT, RESYNC
from load_tests.samples import Samples, percentiles
from load_tests.search import MOST_P99_MS
from load_tests.stages import Stage

NEAREST_P95_MS: Final = 30.0
NEAREST_PER_S: Final = 100.0
FLOWING_PER_S: Final = 500.0
FRESH_P99_MS: Final = 1000.0
INGEST_PER_S: Final = 5000.0
RESYNC_S: Final = 2.0
# Stages that follow a shape, not a constant rate.
_SHAPED: Final = frozenset({"morning", "burst", "storm", "ramp"})
# Arrivals are a Poisson process: over a minute its rate is within some per cent of the wanted one.
_RATE_REACHED: Final = 0.95
# An API that finds nothing gives no wrong answer either. People go where lots are.
_MOST_EMPTY: Final = 0.2


@dataclass(frozen=True)
class Goal:
    """One figure to reach.

    Attributes:
        name: What it is.
        measured: In words.
        target: In words.
        reached: Whether it is; None where nothing is asked.
        load_average: Of the machine then.
    """

    name: str
    measured: str
    target: str
    reached: bool | None
    load_average: float

    @property
    def verdict(self) -> str:
        """The result in a word."""
        return {True: "reached", False: "NOT REACHED", None: "-"}[self.reached]


def goals(stages: Iterable[Stage]) -> list[Goal]:
    """Compare the stages with the goals."""
    made = []
    for stage in stages:
        if stage.name == "mixed" and f"GET {NEAREST}" in stage.samples.by_kind:
            made.append(_nearest(stage))
        elif stage.name == "freshness":
            made += _fresh(stage)
        elif stage.name in _SHAPED:
            made += _answers(stage) + _resync(stage) + _served(stage)
        elif stage.ingested is not None and stage.name.startswith("ingest"):
            made.append(_ingest(stage, asked=not stage.name.startswith("ingest, 1 ")))
    return made


def _nearest(stage: Stage) -> Goal:
    figures = stage.samples.figures(f"GET {NEAREST}", stage.length_s)
    flowing = stage.ingested.observations_per_s if stage.ingested else 0.0
    p95_ms, per_s = (figures.p95_ms, figures.per_s) if figures else (float("inf"), 0.0)
    asked = (len(ends) for kind, (ends, _) in stage.samples.by_kind.items() if kind[:4] == "GET ")
    others_per_s = sum(asked) / stage.length_s - per_s
    return Goal(
        "/v1/nearest, p95",
        f"{p95_ms:.1f} ms at {per_s:.0f} requests/s "
        f"(and {others_per_s:.0f} others/s), {flowing:,.0f} observations/s",
        f"{NEAREST_P95_MS:.0f} ms at {NEAREST_PER_S:.0f} requests/s, "
        f"{FLOWING_PER_S:.0f} observations/s",
        p95_ms <= NEAREST_P95_MS
        and per_s >= _RATE_REACHED * NEAREST_PER_S
        and flowing >= _RATE_REACHED * FLOWING_PER_S,
        stage.load_average,
    )


def _answers(stage: Stage) -> list[Goal]:
    """Sum up the drivers' answers of a scenario, open loop; the ramp's are past its limit."""
    kind = f"GET {NEAREST}"
    figures = stage.samples.figures(kind, stage.length_s)
    if figures is None or stage.name == "ramp":
        return []
    ends = stage.samples.by_kind[kind][0]
    busiest = int(np.bincount((ends - stage.started_s).astype(int)).max())
    return [
        Goal(
            f"{stage.name}: /v1/nearest, p99",
            f"{figures.p99_ms:.1f} ms (p50 {figures.p50_ms:.1f}, longest {figures.longest_ms:.0f}) "
            f"at {figures.per_s:,.0f} requests/s, {busiest:,} in the busiest second",
            "-",
            None,
            stage.load_average,
        )
    ]


def _resync(stage: Stage) -> list[Goal]:
    every = stage.samples.by_kind.get(RESYNC, ((), ()))[1]
    if not len(every):
        return []
    longest_s = float(max(every)) / 1000
    reconnected_s = float(max(stage.samples.by_kind[RECONNECT][1])) / 1000
    return [
        Goal(
            "storm: whole city again, first publish to last ack",
            f"{longest_s:.2f} s, the longest of {len(every)} "
            f"({reconnected_s:.2f} s from the lost connections)",
            f"{RESYNC_S:.0f} s",
            longest_s <= RESYNC_S,
            stage.load_average,
        )
    ]


def _served(stage: Stage) -> list[Goal]:
    per_s = stage.counted.get(HELD_PER_S)
    if per_s is None:
        return []
    return [
        Goal(
            f"drivers served, p99 below {MOST_P99_MS:.0f} ms and no error",
            f"{per_s * 3600 / QUESTIONS_PER_HOUR:,.0f} on the road at once, "
            f"{QUESTIONS_PER_HOUR:.0f} questions an hour each: {per_s:,} requests/s",
            "-",
            None,
            stage.load_average,
        )
    ]


def _fresh(stage: Stage) -> list[Goal]:
    values = [
        value
        for kind, (_, latencies) in stage.samples.by_kind.items()
        if kind.startswith(FRESH)
        for value in latencies
    ]
    if not values:
        return []
    p50, p95, p99 = percentiles(values)
    return [
        Goal(
            "freshness, p99",
            f"{p99:.0f} ms (p50 {p50:.0f}, p95 {p95:.0f}; {len(values)} changes)",
            f"{FRESH_P99_MS:,.0f} ms",
            p99 <= FRESH_P99_MS,
            stage.load_average,
        )
    ]


def _ingest(stage: Stage, *, asked: bool) -> Goal:
    per_s = stage.ingested.observations_per_s if stage.ingested else 0.0
    acks = stage.samples.figures(f"{ACK} spaces", stage.length_s)
    latency = f", ack p50 {acks.p50_ms:.0f} ms, p99 {acks.p99_ms:.0f} ms" if acks else ""
    return Goal(
        f"{stage.name}, sustained",
        f"{per_s:,.0f} observations/s over {stage.length_s:.0f} s{latency}",
        f"{INGEST_PER_S:,.0f} observations/s" if asked else "-",
        per_s >= INGEST_PER_S if asked else None,
        stage.load_average,
    )


def faults(stages: Iterable[Stage]) -> list[dict[str, Any]]:
    """Gather what was wrong in all stages: `stage`, `name`, `problem`, `times`."""
    found = [{"stage": stage.name, **failure} for stage in stages for failure in stage.failures]
    for stage in stages:
        asked = len(stage.samples.by_kind.get(f"GET {NEAREST}", ((), ()))[1])
        empty = stage.counted.get(EMPTY, 0)
        if asked and empty > _MOST_EMPTY * asked:
            found.append(
                {"stage": stage.name, "name": NEAREST, "problem": "finds nothing", "times": empty}
            )
    return [fault for fault in found if fault["times"]]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a Markdown table whose columns also line up in a terminal."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        f"| {' | '.join(cell.ljust(w) for cell, w in zip(line, widths, strict=True))} |"
        for line in lines
    )


def goals_table(made: Iterable[Goal]) -> str:
    """Lay out measured against target."""
    return table(
        ("figure", "measured", "target", "verdict", "load average"),
        ((one.name, one.measured, one.target, one.verdict, f"{one.load_average}") for one in made),
    )


def _kinds_table(samples: Samples, length_s: float) -> str:
    rows = []
    for kind in sorted(samples.by_kind):
        if figures := samples.figures(kind, length_s):
            numbers = (figures.p50_ms, figures.p95_ms, figures.p99_ms, figures.longest_ms)
            cells = [f"{value:,.1f}" for value in numbers]
            rows.append((kind, f"{figures.number:,}", f"{figures.per_s:,.1f}", *cells))
    return table(("kind", "number", "per s", "p50 ms", "p95 ms", "p99 ms", "longest ms"), rows)


def _stage_text(stage: Stage) -> str:
    cores = ", ".join(f"{name} {used:.2f}" for name, used in stage.cores.items())
    lines = [
        f"## {stage.name}: {stage.length_s:.0f} s",
        "",
        _kinds_table(stage.samples, stage.length_s),
        "",
        f"- cores used: {cores or 'not known'}; load average at the end: {stage.load_average}",
    ]
    if stage.ingested is not None:
        done = stage.ingested
        lines.append(
            f"- committed: {done.observations_per_s:,.0f} observations/s in {done.commits:,} "
            f"transactions; messages: {dict(done.messages)}"
        )
    lines += [f"- {note}" for note in stage.notes]
    lines += [f"- {name}: {number:,}" for name, number in stage.counted.items()]
    return "\n".join(lines)


def summary(command: str, stages: Sequence[Stage]) -> str:
    """Write everything as Markdown."""
    wrong = [
        f"- {one['stage']}: {one['name']}: {one['problem']} ({one['times']} times)"
        for one in faults(stages)
    ]
    parts = [
        "# Load test",
        f"`{command}`",
        goals_table(goals(stages)),
        "![latency and throughput](latency.png)",
        "## Wrong answers\n\n" + ("\n".join(wrong) or "None."),
        *(_stage_text(stage) for stage in stages),
    ]
    return "\n\n".join(parts) + "\n"


def write(directory: Path, command: str, stages: Sequence[Stage]) -> None:
    """Write `summary.md` and `summary.json`."""
    (directory / "summary.md").write_text(summary(command, stages), encoding="utf-8")
    content = {
        "command": command,
        "goals": [asdict(one) for one in goals(stages)],
        "faults": faults(stages),
        "stages": [_stage_fields(stage) for stage in stages],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (directory / "summary.json").write_text(text + "\n", encoding="utf-8")


def _stage_fields(stage: Stage) -> dict[str, Any]:
    figures = {
        kind: stage.samples.figures(kind, stage.length_s) for kind in sorted(stage.samples.by_kind)
    }
    return {
        "name": stage.name,
        "started_s": stage.started_s,
        "length_s": stage.length_s,
        "kinds": {kind: asdict(one) for kind, one in figures.items() if one},
        "ingested": asdict(stage.ingested) if stage.ingested else None,
        "cores": dict(stage.cores),
        "load_average": stage.load_average,
        "counted": dict(stage.counted),
        "notes": stage.notes,
    }
