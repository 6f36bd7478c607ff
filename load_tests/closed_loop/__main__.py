"""`python -m load_tests.closed_loop`: static prices, SFpark's rule and ours, side by side."""

import argparse
import sys
from pathlib import Path

import numpy as np

from load_tests.closed_loop.chart import draw
from load_tests.closed_loop.model import CHARGED
from load_tests.closed_loop.report import summary
from load_tests.closed_loop.study import FIRST_SEED, QUICK, Plan, policies, run


def main(arguments: list[str] | None = None) -> int:
    """Run the study, print its tables, write `closed_loop.md` and `closed_loop.png`."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        sizes = (asked.seeds, asked.reviews, asked.lots)
        charged = (asked.charged[0], asked.charged[1])
        plan = QUICK if asked.quick else Plan(*sizes, first_seed=asked.first_seed, charged=charged)
    except ValueError as error:
        parser.error(str(error))
    tried, found = policies(), []
    for seed, figures in enumerate(run(plan, tried, asked.jobs)):
        found.append(figures)
        print(f"{seed + 1} of {plan.seeds} seeds", file=sys.stderr)
    results = np.array(found)
    text = summary(_command(plan), plan, tried, results)
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "closed_loop.md").write_text(text, encoding="utf-8")
    draw(asked.out / "closed_loop.png", tried, results)
    print(text)
    return 0


def _command(plan: Plan) -> str:
    if plan == QUICK:
        return "python -m load_tests.closed_loop --quick"
    seeds = f"--seeds {plan.seeds} --first-seed {plan.first_seed}"
    charged = "{} {}".format(*plan.charged)
    sizes = f"{seeds} --reviews {plan.reviews} --lots {plan.lots} --charged {charged}"
    return f"python -m load_tests.closed_loop {sizes}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m load_tests.closed_loop", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="paired runs (10)")
    parser.add_argument(
        "--first-seed", type=int, default=FIRST_SEED, help=f"of the seeds, the first ({FIRST_SEED})"
    )
    parser.add_argument("--reviews", type=int, default=12, help="reviews of the prices (12)")
    parser.add_argument("--lots", type=int, default=400, help="lots of the city (400)")
    parser.add_argument(
        "--charged",
        type=int,
        nargs=2,
        default=CHARGED,
        metavar=("FROM", "TO"),
        help="local hours that are charged and measured (9 18)",
    )
    parser.add_argument("--jobs", type=int, default=1, help="seeds at once, each in a process (1)")
    parser.add_argument("--out", type=Path, default=Path("var/reports"), help="where to write")
    parser.add_argument("--quick", action="store_true", help="a small city, for a look: seconds")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
