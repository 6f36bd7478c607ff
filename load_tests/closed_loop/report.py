"""The study as Markdown tables."""

from collections.abc import Sequence
from typing import Final

from load_tests.closed_loop.comparison import Matched, goals, interval, matched
from load_tests.closed_loop.model import Floats
from load_tests.closed_loop.study import FIGURES, OUR_STEP, SFPARK_STEP, Policy
from load_tests.report import table

_SHOWN_STEPS: Final = {"static": 0.0, "SFpark": float(SFPARK_STEP), "ours": OUR_STEP}
_AS_RATIOS: Final = ("mean_price", "spread", "revenue")
_HEADS: Final = {
    "blocked": "blocked",
    "lost": "lost",
    "in_band": "in size-aware band",
    "in_plain": "in 60-80 %",
    "hours_in_band": "size-aware, by the hour",
    "hours_in_plain": "60-80 %, by the hour",
    "idle": "under 30 %",
    "reversals": "reversals",
    "mean_price": "mean price",
    "spread": "spread",
    "revenue": "revenue",
}

_ABOUT: Final = (
    "Each figure is the mean over the seeds of the last three periods, 95 % intervals after ±. "
    "Prices and revenue are multiples of those at base prices."
)
_TO_REACH: Final = (
    "Ours against SFpark's rule with its own step of 0.50 yuan an hour, at the same mean price."
)
_AS_THEY_ARE: Final = (
    "Steps of 0.50 yuan an hour (SFpark's); of at most 16 % up and 25 % down (ours)."
)
_SAME: Final = (
    "Ours less SFpark's, for each step of SFpark's; ours interpolated between its steps. Where "
    "no step of ours is so dear, its dearest is taken: a lower price."
)


def summary(command: str, tried: Sequence[Policy], results: Floats) -> str:
    """Write it all; `results` is (seeds, policies, figures)."""
    parts = [
        "# Prices that move, in a closed loop",
        f"`{command}`",
        _ABOUT,
        f"## To reach\n\n{_TO_REACH}\n\n{_goals_table(tried, results)}",
        f"## The rules as they are\n\n{_AS_THEY_ARE}\n\n{_figures_table(tried, results)}",
        f"## At the same mean price\n\n{_SAME}\n\n{_matched_table(matched(tried, results))}",
        "![curves](closed_loop.png)",
    ]
    return "\n\n".join(parts) + "\n"


def _goals_table(tried: Sequence[Policy], results: Floats) -> str:
    rows = (
        (one.name, one.measured, "reached" if one.reached else "NOT reached")
        for one in goals(tried, results)
    )
    return table(("goal", "measured", "verdict"), rows)


def _figures_table(tried: Sequence[Policy], results: Floats) -> str:
    rows = [
        (str(policy.elasticity), policy.name, *_figures_row(results[:, at]))
        for at, policy in enumerate(tried)
        if policy.step == _SHOWN_STEPS[policy.name]
    ]
    return table(("elasticity", "rule", *_HEADS.values()), rows)


def _figures_row(seeds: Floats) -> list[str]:
    cells = []
    for figure in _HEADS:
        one = interval(seeds[:, FIGURES.index(figure)])
        scale, unit = (1, "") if figure in _AS_RATIOS else (100, " %")
        cells.append(f"{scale * one.mean:.2f} ± {scale * one.half:.2f}{unit}")
    return cells


def _matched_table(found: Sequence[Matched]) -> str:
    head = (
        "elasticity", "SFpark's step, yuan", "its mean price", "ours", "in band, points",
        "blocked, points", "fewer blocked",
    )  # fmt: skip
    rows = (
        (
            str(one.elasticity),
            f"{one.step / 100:.2f}",
            f"{one.mean_price:.3f}",
            f"{one.our_price:.3f}",
            f"{100 * one.in_band.mean:+.1f} ± {100 * one.in_band.half:.1f}",
            f"{100 * one.blocked.mean:+.2f} ± {100 * one.blocked.half:.2f}",
            f"{one.fewer.mean:.1%} ± {one.fewer.half:.1%}",
        )
        for one in found
    )
    return table(head, rows)
