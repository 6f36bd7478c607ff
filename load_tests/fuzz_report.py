"""The report of a run of the fuzzer."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import psutil

from load_tests.kinds import ACK
from load_tests.samples import Floats, Samples, percentiles
from load_tests.watching import scrape

# Good traffic beside the broken messages may be so many times as slow, at the 99th percentile.
MOST_RATIO: Final = 2.0


@dataclass(frozen=True)
class Stretch:
    """A stretch of time (Unix seconds).

    Attributes:
        started_s: When it began.
        ended_s: When it ended.
        messages: How many broken messages were sent in it.
        ours: Processors that the city and its load used, on average.
        others: Those that other users of the machine used.
    """

    started_s: float
    ended_s: float
    messages: int
    ours: float = 0.0
    others: float = 0.0

    @property
    def length_s(self) -> float:
        """How long it was, in seconds."""
        return self.ended_s - self.started_s


@dataclass(frozen=True)
class Ingester:
    """The ingester after the run.

    Attributes:
        is_alive: Whether it is the process that it was at the start.
        memory_mb: Of that process.
        counters: What it counted, by name and label.
    """

    is_alive: bool
    memory_mb: float
    counters: Mapping[str, float]

    @classmethod
    def read(cls, url: str, process: psutil.Process) -> Self:
        """Ask the ingester."""
        alive = process.is_running()
        memory = process.memory_info().rss / 2**20 if alive else 0.0
        return cls(alive, round(memory, 1), scrape(url))

    @property
    def adds_up(self) -> bool:
        """Whether everything received is accounted for, and every rejected message too."""
        results = _sum(self.counters, "ingest_messages_total ")
        letters = _sum(self.counters, "ingest_dead_letters_total ")
        received = self.counters["ingest_received_total"]
        rejected = self.counters["ingest_messages_total rejected"]
        return received == results + self.counters["ingest_waiting"] and rejected == letters


def _sum(counters: Mapping[str, float], prefix: str) -> float:
    return sum(value for name, value in counters.items() if name.startswith(prefix))


@dataclass
class Report:
    """A run of the fuzzer.

    Attributes:
        options: What was asked for.
        stretches: In their order; quiet ones too.
        ended: How the broken messages ended, as their sender says.
        good: Latencies of the good ones.
        good_problems: What went wrong with them.
        ingester: After the run.
        cut: Whether it ended early, for lack of time.
    """

    options: Mapping[str, Any]
    stretches: list[Stretch] = field(default_factory=list)
    ended: dict[str, Any] = field(default_factory=lambda: {"sent": 0, "problems": {}})
    good: Samples = field(default_factory=lambda: Samples({}))
    good_problems: Mapping[str, int] = field(default_factory=dict)
    ingester: Ingester | None = None
    cut: bool = False

    def latencies_ms(self, *, beside: bool) -> tuple[int, tuple[float, float, float]]:
        """Return how many good messages there were, and their percentiles: 50, 95, 99.

        Args:
            beside: Those beside broken messages; else those of the quiet stretches.
        """
        chosen: list[Floats] = [np.empty(0)]
        for stretch in self.stretches:
            if bool(stretch.messages) is beside:
                cut = self.good.within(stretch.started_s, stretch.ended_s)
                chosen += [pair[1] for kind, pair in cut.by_kind.items() if kind.startswith(ACK)]
        every = np.concatenate(chosen)
        return len(every), percentiles(every) if len(every) else (0.0, 0.0, 0.0)

    def processors(self, *, beside: bool) -> tuple[float, float]:
        """Return how many processors we and others used, beside broken messages or without."""
        chosen = [one for one in self.stretches if bool(one.messages) is beside]
        length_s = max(sum(one.length_s for one in chosen), 1e-9)
        ours = sum(one.ours * one.length_s for one in chosen) / length_s
        return ours, sum(one.others * one.length_s for one in chosen) / length_s

    @property
    def ratio(self) -> float:
        """How much slower good messages were beside the broken ones, at the 99th percentile."""
        alone, beside = (self.latencies_ms(beside=one)[1][2] for one in (False, True))
        return beside / alone if alone else 0.0

    @property
    def faults(self) -> list[str]:
        """Everything that is wrong, a sentence each."""
        found = [f"{problem}: {shows}" for problem, shows in self.ended["problems"].items()]
        found += [f"good traffic: {what} ({n} times)" for what, n in self.good_problems.items()]
        if self.cut:
            found.append(f"cut off by its time after {self.ended['sent']:,} messages")
        if self.ingester is None or not self.ingester.is_alive:
            found.append("the ingester is not the process that it was")
        elif not self.ingester.adds_up:
            found.append("the ingester's counters do not add up")
        if self.ratio > MOST_RATIO:
            others = self.processors(beside=True)[1]
            found.append(
                f"good traffic is {self.ratio:.2f} times as slow, {MOST_RATIO:g} allowed"
                f" (others used {others:.1f} of {psutil.cpu_count()} processors)"
            )
        return found

    @property
    def is_good(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


def write(report: Report, directory: Path) -> str:
    """Write `summary.md` and `summary.json`; give the text."""
    directory.mkdir(parents=True, exist_ok=True)
    text = summary(report)
    (directory / "summary.md").write_text(text, encoding="utf-8")
    facts = {
        "options": report.options,
        "sent": report.ended["sent"],
        "results": report.ended.get("results", {}),
        "mutations": report.ended.get("mutations", {}),
        "faults": report.faults,
        "good_alone_ms": report.latencies_ms(beside=False),
        "good_beside_ms": report.latencies_ms(beside=True),
        "ratio_p99": report.ratio,
        "ingester": asdict(report.ingester) if report.ingester else None,
        "stretches": [asdict(stretch) for stretch in report.stretches],
    }
    (directory / "summary.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return text


def summary(report: Report) -> str:
    """Write the report as Markdown."""
    fuzzing = [stretch for stretch in report.stretches if stretch.messages]
    took_s = sum(stretch.length_s for stretch in fuzzing)
    sent = report.ended["sent"]
    lines = [
        f"# Fuzz: {sent:,} messages, {'nothing found' if report.is_good else 'FAULTS'}",
        "",
        f"{took_s:,.0f} s of broken messages, {sent / max(took_s, 1e-9):,.0f} a second.",
        "",
        *(f"- WRONG: {fault[:500]}" for fault in report.faults),
        "",
        "| good messages | number | p50 ms | p95 ms | p99 ms | our processors | others' |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, beside in (("alone", False), ("beside broken ones", True)):
        number, (p50, p95, p99) = report.latencies_ms(beside=beside)
        ours, others = report.processors(beside=beside)
        times = f"{p50:.1f} | {p95:.1f} | {p99:.1f}"
        lines.append(f"| {name} | {number:,} | {times} | {ours:.2f} | {others:.2f} |")
    lines += ["", f"Ratio at p99: {report.ratio:.2f} (at most {MOST_RATIO:g}).", ""]
    lines += _table("ended as", report.ended.get("results", {}))
    lines += _table("mutation", report.ended.get("mutations", {}))
    if report.ingester is not None:
        lines.append(f"The ingester uses {report.ingester.memory_mb:,.0f} MB and counted:")
        lines += ["", *_table("counter", report.ingester.counters)]
    return "\n".join(lines)


def _table(name: str, counted: Mapping[str, float]) -> list[str]:
    ordered = sorted(counted.items(), key=lambda item: -item[1])
    rows = [f"| {key} | {value:,.0f} |" for key, value in ordered if value]
    return [f"| {name} | number |", "|---|--:|", *rows, ""]
