"""One picture: latency and throughput of each kind of request over time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from load_tests.kinds import ACK, CITY, FRESH, LOT, LOT_SPACES, NEAREST, NEAREST_SPACES, RESYNC
from load_tests.report import FRESH_P99_MS, NEAREST_P95_MS
from load_tests.samples import per_second
from load_tests.stages import Stage

# Kinds in the order of the picture, with the target of one of its percentiles, if there is one.
_KINDS: Final = (
    (f"GET {NEAREST}", "GET /v1/nearest", ("p95", NEAREST_P95_MS)),
    (f"GET {LOT}", "GET /v1/lots/{lot_id}", None),
    (f"GET {LOT_SPACES}", "GET /v1/lots/{lot_id}/spaces", None),
    (f"GET {NEAREST_SPACES}", "GET /v1/spaces/nearest", None),
    (f"GET {CITY}", "GET /v1/city", None),
    (f"{ACK} spaces", "MQTT feed, publish to ack", None),
    (f"{ACK} snapshot", "MQTT snapshot, publish to ack", None),
    (RESYNC, "Whole city again, first publish to last ack", None),
    (
        f"{FRESH} {LOT_SPACES}",
        "Freshness, shown by /v1/lots/{lot_id}/spaces",
        ("p99", FRESH_P99_MS),
    ),
    (f"{FRESH} {NEAREST}", "Freshness, shown by /v1/nearest", ("p99", FRESH_P99_MS)),
)
Grid = NDArray[np.object_]

_FRAME: Final[dict[Any, Any]] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": "#cbd2d9",
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlecolor": "#1f2933",
    "axes.titlepad": 4,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#e4e7eb",
    "grid.linewidth": 0.7,
    **dict.fromkeys(("xtick.color", "ytick.color"), "#7b8794"),
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize"), 8),
    **dict.fromkeys(
        ("xtick.major.size", "ytick.major.size", "xtick.minor.size", "ytick.minor.size"), 0
    ),
}

_INK: Final = "#1f2933"
_FAINT: Final = "#7b8794"
_SHADES: Final = (("p99", "#9fc5e8", 3), ("p95", "#3d85c6", 2), ("p50", "#0b3d66", 1))
_THROUGHPUT: Final = "#5b8c5a"
_TARGET: Final = "#c0392b"
# Below this many a second, percentiles of single seconds say nothing: each one is a dot.
_SPARSE_PER_S: Final = 20.0
# Between stages: room for the name of a short one.
_GAP_S: Final = 4
_DOTS: Final = "#3d85c6"


@mpl.rc_context(_FRAME)
def draw(stages: Sequence[Stage], path: Path) -> None:
    """Draw the picture (PNG); one row a kind, the stages side by side."""
    there = {kind for stage in stages for kind in stage.samples.by_kind}
    kinds = [row for row in _KINDS if row[0] in there]
    if not kinds:
        return
    figure = Figure(figsize=(14, 1.1 + 1.75 * len(kinds)), dpi=110, layout="constrained")
    grid = figure.subplots(len(kinds), 2, sharex=True, squeeze=False, width_ratios=(3, 2))
    starts = _starts(stages)
    for (kind, title, target), (latency, throughput) in zip(kinds, grid, strict=True):
        latency.set_title(title)
        for stage, at_s in zip(stages, starts, strict=True):
            if kind in stage.samples.by_kind:
                _draw_stage(latency, throughput, stage, kind, at_s)
        _scale(latency, target)
        throughput.set_ylim(0, throughput.get_ylim()[1] * 1.25)
    _label(grid, stages, starts)
    _legend(figure)
    figure.savefig(path, facecolor="white")


def _starts(stages: Sequence[Stage]) -> list[int]:
    """Place each stage's first second: the stages follow one another with small gaps."""
    starts, at_s = [], 0
    for stage in stages:
        starts.append(at_s)
        at_s += int(stage.length_s) + _GAP_S
    return starts


def _draw_stage(latency: Axes, throughput: Axes, stage: Stage, kind: str, at_s: int) -> None:
    ends_s, latencies_ms = stage.samples.by_kind[kind]
    length_s = max(int(stage.length_s), 1)
    rows = per_second(ends_s, latencies_ms, stage.started_s, length_s)
    seconds = [at_s + second + 0.5 for second in range(length_s)]
    if len(ends_s) < _SPARSE_PER_S * length_s:
        latency.plot(at_s + ends_s - stage.started_s, latencies_ms, ".", color=_DOTS, ms=3.5)
    else:
        for name, colour, column in _SHADES:
            latency.plot(seconds, rows[:, column], color=colour, lw=1.4, label=name)
    throughput.bar(seconds, rows[:, 0], width=1.0, color=_THROUGHPUT, alpha=0.55)
    mean = rows[:, 0].mean()
    throughput.annotate(
        f"{mean:,.0f}/s" if mean >= 10 else f"{mean:.1f}/s",  # noqa: PLR2004 - digits that matter
        (at_s + length_s / 2, rows[:, 0].max()),
        textcoords="offset points",
        xytext=(0, 3),
        ha="center",
        fontsize=8,
        color=_INK,
    )


def _scale(axes: Axes, target: tuple[str, float] | None) -> None:
    """Make the scale logarithmic, from decade to decade, and draw the target's line."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    if target is not None:
        name, value = target
        high = max(high, value)
        axes.axhline(value, color=_TARGET, lw=1.0, ls=(0, (4, 3)))
        axes.annotate(
            f"target of {name}: {value:,.0f} ms",
            (1.0, value),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            xytext=(-2, 3),
            ha="right",
            fontsize=8,
            color=_TARGET,
        )
    axes.set_ylim(min(_decade(low), low), max(_decade(high), high) * 1.5)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,), numticks=6))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g} ms"))


def _decade(value: float) -> float:
    """Return the power of ten nearest to a value, on a logarithmic scale."""
    return float(10 ** np.round(np.log10(max(value, 0.1))))


def _label(grid: Grid, stages: Sequence[Stage], starts: Sequence[int]) -> None:
    """Name the stages above, and time below."""
    end_s = starts[-1] + stages[-1].length_s
    for row in grid:
        for axes in row:
            axes.set_xlim(-1, end_s + 1)
            for at_s in starts[1:]:
                axes.axvline(at_s - _GAP_S / 2, color="#cbd2d9", lw=1.0)
    for stage, at_s in zip(stages, starts, strict=True):
        for axes in grid[0]:
            axes.annotate(
                stage.name.replace(", ", "\n"),
                (at_s + stage.length_s / 2, 1.0),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                xytext=(0, 18),
                ha="center",
                fontsize=9,
                color=_FAINT,
            )
    for axes, text in zip(grid[-1], ("latency", "throughput per second"), strict=True):
        axes.set_xlabel(f"{text}; seconds measured", fontsize=9, color=_FAINT)


def _legend(figure: Figure) -> None:
    """Say once what the shades are."""
    handles = [Line2D([], [], color=colour, label=name) for name, colour, _ in reversed(_SHADES)]
    dots = Line2D([], [], color=_DOTS, ls="", marker=".", label="single ones, where they are few")
    figure.legend(
        handles=[*handles, dots],
        loc="outside upper left",
        ncols=4,
        fontsize=9,
        frameon=False,
        labelcolor=_INK,
        title="Latency in milliseconds, of each second:",
        title_fontsize=9,
        alignment="left",
    )
