"""Writes what was found: a table, JSON, and a picture."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

from load_tests.bench.results import Figure, Part
from load_tests.report import table

_DIGITS_FROM: Final = 100
_REACHED, _MISSED, _PLAIN = "#2f855a", "#c05621", "#4a5568"


def write(directory: Path, machine: Mapping[str, str], command: str, parts: Sequence[Part]) -> str:
    """Write `bench.md`, `bench.json` and `bench.png`; return the table of goals."""
    goals = _goals(parts)
    text = "\n\n".join(
        [
            "# Benchmarks",
            f"`{command}`",
            goals,
            "![figures](bench.png)",
            *(_part(part) for part in parts),
            "## Machine\n\n" + "\n".join(f"- {name}: {value}" for name, value in machine.items()),
        ]
    )
    (directory / "bench.md").write_text(text + "\n", encoding="utf-8")
    content = {"command": command, "machine": machine, "parts": [_fields(part) for part in parts]}
    (directory / "bench.json").write_text(
        json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    _draw(directory / "bench.png", parts)
    return goals


def _goals(parts: Sequence[Part]) -> str:
    rows = [
        (one.name, _measured(one), str(one.goal or "-"), one.verdict)
        for part in parts
        for one in part.figures
        if one.goal or not one.unit
    ]
    return table(("measure", "median (least to most)", "goal", "verdict"), rows)


def _part(part: Part) -> str:
    rows = [(one.name, _measured(one), one.note) for one in part.figures]
    notes = "".join(f"\n- {note}" for note in part.notes)
    figures = table(("figure", "median (least to most)", "more"), rows)
    return f"## {part.name}\n\n{figures}" + (f"\n{notes}" if notes else "")


def _measured(one: Figure) -> str:
    value, low, high = (_number(each) for each in (one.value, one.low, one.high))
    spread = "" if one.low == one.high else f" ({low} to {high})"
    return f"{value}{spread} {one.unit}".strip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _DIGITS_FROM else f"{value:.2f}"


def _fields(part: Part) -> dict[str, Any]:
    fields = asdict(part)
    for one, written in zip(part.figures, fields["figures"], strict=True):
        written["verdict"] = one.verdict
    return fields


def _draw(path: Path, parts: Sequence[Part]) -> None:
    """Draw one panel a part and unit: bars with their spread, and the goal as a line."""
    panels = [
        (part.name, unit, [one for one in part.figures if one.unit == unit])
        for part in parts
        for unit in dict.fromkeys(one.unit for one in part.figures)
    ]
    heights = [len(figures) + 1 for _, _, figures in panels]
    picture, axes = plt.subplots(
        len(panels),
        1,
        figsize=(9, 0.42 * sum(heights) + 0.5),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for (name, unit, figures), axis in zip(panels, axes[:, 0], strict=True):
        for at, one in enumerate(figures):
            colour = {"reached": _REACHED, "NOT REACHED": _MISSED}.get(one.verdict, _PLAIN)
            spread = [[one.value - one.low], [one.high - one.value]]
            axis.barh(at, one.value, color=colour, xerr=spread, height=0.6, ecolor="#a0aec0")
            offset = {"xytext": (6, 0), "textcoords": "offset points"}
            axis.annotate(_number(one.value), (one.high, at), **offset, va="center", fontsize=8)
            if one.goal:
                axis.plot([one.goal.bound] * 2, [at - 0.4, at + 0.4], color="black")
        axis.set_yticks(range(len(figures)), [one.name for one in figures], fontsize=8)
        axis.invert_yaxis()
        axis.set_title(f"{name}{f', {unit}' if unit else ''}", loc="left", fontsize=9)
        axis.spines[["top", "right"]].set_visible(False)
    picture.savefig(path, dpi=110)
    plt.close(picture)
