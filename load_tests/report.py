"""What was measured, against what was to be reached."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from load_tests.kinds import ACK, EMPTY, FRESH, NEAREST
from load_tests.samples import Samples, percentiles
from load_tests.stages import Stage

NEAREST_P95_MS: Final = 30.0
NEAREST_PER_S: Final = 100.0
FLOWING_PER_S: Final = 500.0
FRESH_P99_MS: Final = 1000.0
INGEST_PER_S: Final = 5000.0
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
        reached: Whether it is; None where only told.
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
    """Hold the stages against what is to be reached."""
    made = []
    for stage in stages:
        if stage.name == "mixed" and f"GET {NEAREST}" in stage.samples.by_kind:
            made.append(_nearest(stage))
        elif stage.name == "freshness":
            made += _fresh(stage)
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


def _fresh(stage: Stage) -> list[Goal]:
    shown = [
        latencies
        for kind, (_, latencies) in stage.samples.by_kind.items()
        if kind.startswith(FRESH)
    ]
    if not shown:
        return []
    values = [value for latencies in shown for value in latencies]
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
    told = f", ack p50 {acks.p50_ms:.0f} ms, p99 {acks.p99_ms:.0f} ms" if acks else ""
    return Goal(
        f"{stage.name}, sustained",
        f"{per_s:,.0f} observations/s over {stage.length_s:.0f} s{told}",
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
            told = [f"{value:,.1f}" for value in numbers]
            rows.append((kind, f"{figures.number:,}", f"{figures.per_s:,.1f}", *told))
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
