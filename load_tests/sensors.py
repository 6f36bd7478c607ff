"""`python -m load_tests.sensors`: the platform's picture against the truth, by profile of faults.

For each profile it starts a small city of its own, all at the same time, and scores what the
platform's HTTP interface shows. The report goes below `var/reports/`: `sensors.md`, and the same
figures as `sensors.json`, a list of rows.
"""

import argparse
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx

from load_tests import rig
from load_tests.target import TargetError
from simulators.score_command import score_platform
from simulators.sensors.profiles import PROFILES
from simulators.sensors.scoring import Score, table

LOTS: Final = 60
MINUTES: Final = 12
SPEED: Final = 10
_TIMEOUT_S: Final = 10.0
_ABOUT: Final = (
    "A city of {lots} lots, {minutes} minutes of each profile at a speed of {speed}, the drivers' "
    "first instant {start}. Free spaces are means of 300 s, of the history; bays and ages are "
    "looked at once a minute. What `clean` shows is the time that reports take.\n\n"
)


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    made = argparse.ArgumentParser(prog="python -m load_tests.sensors", description=__doc__)
    made.add_argument("--lots", type=int, default=LOTS)
    made.add_argument("--minutes", type=int, default=MINUTES)
    made.add_argument("--speed", type=int, default=SPEED)
    made.add_argument("--start", default="2026-11-24T08:00", help="of the drivers' time")
    made.add_argument("--report-dir", type=Path, default=Path("var/reports"))
    return made


def scored(profile: str, options: argparse.Namespace) -> Score:
    """Run a city with sensors of a profile, and score it.

    Raises:
        TargetError: The city does not start.
    """
    city = ("--speed", str(options.speed), "--start", options.start, "--profile", profile)
    with (
        tempfile.TemporaryDirectory(prefix="onelot-truth-") as truth,
        rig.own_city(options.lots, *city, "--truth", truth) as directory,
    ):
        http = json.loads((directory / "run.json").read_text())["http"]
        with httpx.Client(base_url=http, timeout=_TIMEOUT_S, trust_env=False) as client:
            return score_platform(Path(truth), client, options.minutes)


def main(argv: list[str] | None = None) -> int:
    """Score each profile, and write the report; exit status 2 where a city does not start."""
    options = parser().parse_args(argv)
    try:
        with ThreadPoolExecutor(len(PROFILES)) as pool:
            rows = [*pool.map(lambda profile: scored(profile, options), PROFILES)]
    except TargetError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    words = _ABOUT.format(**vars(options)) + table(rows)
    options.report_dir.mkdir(parents=True, exist_ok=True)
    (options.report_dir / "sensors.md").write_text("# Sensors: shown and true\n\n" + words)
    figures = json.dumps([row.row() for row in rows], indent=2)
    (options.report_dir / "sensors.json").write_text(figures + "\n")
    sys.stdout.write(words)
    return 0


if __name__ == "__main__":
    sys.exit(main())
