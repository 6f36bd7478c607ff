"""Blocked arrivals and in-band share against the mean price, one column for each elasticity."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from load_tests.closed_loop.model import Floats
from load_tests.closed_loop.study import BEST, FIGURES, OURS, SFPARK, STATIC, Policy

_DRAWN: Final = {"blocked": "arrivals blocked, %", "in_band": "lot-hours in size-aware band, %"}
_MARKS: Final = {STATIC: "k*", SFPARK: "s-", OURS: "o-", BEST: ":"}


def draw(path: Path, tried: Sequence[Policy], results: Floats) -> None:
    """Write the curves as PNG; `results` is (seeds, policies, figures)."""
    means = results.mean(axis=0)
    elasticities = sorted({each.elasticity for each in tried if each.name != STATIC}, reverse=True)
    figure, axes = plt.subplots(
        len(_DRAWN), len(elasticities), figsize=(4 * len(elasticities), 7), squeeze=False
    )
    for row, drawn in enumerate(_DRAWN):
        for column, elasticity in enumerate(elasticities):
            _curves(axes[row, column], drawn, elasticity, tried, means)
    axes[0, 0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _curves(
    axes: Axes, drawn: str, elasticity: float, tried: Sequence[Policy], means: Floats
) -> None:
    price, figure = FIGURES.index("mean_price"), FIGURES.index(drawn)
    for name, marks in _MARKS.items():
        places = [
            at
            for at, policy in enumerate(tried)
            if policy.name == name and (name == STATIC or policy.elasticity == elasticity)
        ]
        axes.plot(means[places, price], 100 * means[places, figure], marks, label=name)
    axes.set_title(f"elasticity {elasticity}")
    axes.set_xlabel("mean price / base price")
    axes.set_ylabel(_DRAWN[drawn])
    axes.grid(alpha=0.3)
