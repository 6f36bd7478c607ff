"""The study as Markdown tables."""

import math
from collections.abc import Sequence
from typing import Final

from load_tests.closed_loop.comparison import Goal, Interval, Matched, goals, interval, matched
from load_tests.closed_loop.model import Floats
from load_tests.closed_loop.study import (
    BEST,
    FIGURES,
    OUR_STEP,
    OURS,
    SFPARK,
    SFPARK_STEP,
    STATIC,
    Plan,
    Policy,
)
from load_tests.report import table
from pricing.mechanism import Steps

_SHOWN_STEPS: Final = {STATIC: None, SFPARK: SFPARK_STEP, OURS: OUR_STEP}
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
_CURVE_HEADS: Final = ("mean_price", "blocked", "at_ceiling", "moving", "in_band", "reversals")

_ABOUT: Final = (
    "Each figure is the mean over the seeds {first} to {last} of the last three periods, 95 % "
    "intervals after ±. Prices and revenue are multiples of those at base prices. The rules and "
    "their constants were chosen on the seeds 1000 to 1005 and on no others."
)
_TO_REACH: Final = (
    "Ours less SFpark's rule, at the mean price of each step of SFpark's (0.50 yuan an hour is its "
    "own), seed by seed on the same arrivals; ours interpolated between its steps. Where no step "
    "of ours is so dear, its dearest is taken: a lower price."
)
_SHORT: Final = (
    "How far it can be: prices that follow their benefit, in the same simulation, against SFpark's "
    "rule at the same mean price. They know how many come to each lot and how demand answers; they "
    "go where a bit more would spare as many arrivals at each lot, up or down at every review, in "
    "steps of any size, and care for no band. No city knows that much; it is no bound, as demand "
    "that changes lots is left out."
)
_AS_THEY_ARE: Final = (
    "SFpark's with steps of 0.50 yuan an hour; ours with steps of at most {up:.0%} up and "
    "{down:.0%} down, where of as many arrivals as a lot has spaces {away:g} may be turned away."
)
_CURVES: Final = (
    "Every point of the curves. Blocked arrivals are told apart by their lot: its price at the "
    "ceiling, where no rule can do more; moved by the last review, not settled yet; or at rest. "
    "The curve of ours is by how many arrivals may be turned away."
)


def summary(command: str, plan: Plan, tried: Sequence[Policy], results: Floats) -> str:
    """Write it all; `results` is (seeds, policies, figures)."""
    made = goals(tried, results)
    about = _ABOUT.format(first=plan.first_seed, last=plan.first_seed + plan.seeds - 1)
    as_they_are = _AS_THEY_ARE.format(up=OUR_STEP.up, down=OUR_STEP.down, away=OUR_STEP.turned_away)
    parts = [
        "# Prices that move, in a closed loop",
        f"`{command}`",
        about,
        f"## To reach\n\n{_TO_REACH}\n\n{_goals_table(made)}",
        f"## Where it falls short\n\n{_short(made)} {_SHORT}\n\n{_bound_table(tried, results)}",
        f"## The rules as they are\n\n{as_they_are}\n\n{_figures_table(tried, results)}",
        f"## At the same mean price\n\n{_matched_table(matched(tried, results))}",
        f"## The curves\n\n{_CURVES}\n\n{_curves_table(tried, results)}",
        "![curves](closed_loop.png)",
    ]
    return "\n\n".join(parts) + "\n"


def _goals_table(made: Sequence[Goal]) -> str:
    rows = ((one.name, one.measured, "reached" if one.reached else "NOT reached") for one in made)
    return table(("goal", "measured", "verdict"), rows)


def _short(made: Sequence[Goal]) -> str:
    missed = [f"{one.name} ({one.measured})" for one in made if not one.reached]
    if not missed:
        return f"All {len(made)} goals are reached."
    return f"Not reached, of {len(made)} goals: {len(missed)}. {'; '.join(missed)}."


def _bound_table(tried: Sequence[Policy], results: Floats) -> str:
    head = (
        "elasticity", "SFpark's step, yuan", "its mean price", "it blocks", "fewer wanted",
        "ours fewer", "fewer, benefit known", "in band, points, ours", "in band, benefit known",
    )  # fmt: skip
    pairs = zip(matched(tried, results), matched(tried, results, BEST), strict=True)
    rows = (
        (
            str(ours.elasticity),
            f"{ours.step / 100:.2f}",
            f"{ours.mean_price:.3f}",
            f"{ours.theirs:.2%}",
            f"{ours.wanted_fewer:.0%}" if ours.wanted_fewer else "any",
            f"{ours.fewer.mean:.1%}",
            _share(best.fewer),
            _points(ours.in_band),
            _points(best.in_band),
        )
        for ours, best in pairs
    )
    return table(head, rows)


def _share(one: Interval) -> str:
    return "-" if math.isnan(one.mean) else f"{one.mean:.1%} ± {one.half:.1%}"


def _points(one: Interval) -> str:
    return "-" if math.isnan(one.mean) else f"{100 * one.mean:+.1f} ± {100 * one.half:.1f}"


def _figures_table(tried: Sequence[Policy], results: Floats) -> str:
    rows = [
        (_city(policy), policy.name, *_figures_row(results[:, at], tuple(_HEADS)))
        for at, policy in enumerate(tried)
        if policy.name in _SHOWN_STEPS and policy.step == _SHOWN_STEPS[policy.name]
    ]
    return table(("elasticity", "rule", *_HEADS.values()), rows)


def _figures_row(seeds: Floats, figures: Sequence[str]) -> list[str]:
    cells = []
    for figure in figures:
        one = interval(seeds[:, FIGURES.index(figure)])
        scale, unit = (1, "") if figure in _AS_RATIOS else (100, " %")
        cells.append(f"{scale * one.mean:.2f} ± {scale * one.half:.2f}{unit}")
    return cells


def _matched_table(found: Sequence[Matched]) -> str:
    head = (
        "elasticity", "SFpark's step, yuan", "its mean price", "ours", "in band, points",
        "by the hour", "blocked, points", "fewer blocked",
    )  # fmt: skip
    rows = (
        (
            str(one.elasticity),
            f"{one.step / 100:.2f}",
            f"{one.mean_price:.3f}",
            f"{one.other_price:.3f}",
            _points(one.in_band),
            _points(one.hours_in_band),
            f"{100 * one.blocked.mean:+.2f} ± {100 * one.blocked.half:.2f}",
            _share(one.fewer),
        )
        for one in found
    )
    return table(head, rows)


def _curves_table(tried: Sequence[Policy], results: Floats) -> str:
    head = (
        "elasticity", "rule", "step", "mean price", "blocked", "at the ceiling", "not settled",
        "in size-aware band", "reversals",
    )  # fmt: skip
    rows = [
        (
            _city(policy),
            policy.name,
            _step(policy),
            *_figures_row(results[:, at], _CURVE_HEADS),
        )
        for at, policy in enumerate(tried)
    ]
    return table(head, rows)


def _city(policy: Policy) -> str:
    return "any" if policy.name == STATIC else str(policy.elasticity)


def _step(policy: Policy) -> str:
    if isinstance(policy.step, Steps):
        return f"{policy.step.turned_away:g} may be turned away"
    if policy.name == SFPARK and policy.step is not None:
        return f"{policy.step / 100:.2f} yuan"
    return "-" if policy.step is None else f"price weighs {policy.step:g}"
