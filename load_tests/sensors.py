"""`python -m load_tests.sensors`: the platform's picture against the truth, by profile of faults.

For each profile it starts a small city of its own, all at the same time, and scores what the
platform's HTTP interface shows. The report goes below `var/reports/`: `sensors.md`, and the same
figures as `sensors.json`, a list of rows. A profile that cannot be scored is named there and left
out of the rows; the others are kept.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Final

import httpx

from load_tests import rig
from load_tests.target import TargetError
from simulators.score_command import score_platform
from simulators.sensors.profiles import PROFILES
from simulators.sensors.scoring import Score, table
from simulators.sensors.truth import TruthError

LOTS: Final = 60
MINUTES: Final = 12
SPEED: Final = 10
# Three cities share a machine, and one look that fails would lose its profile.
_TIMEOUT_S: Final = 60.0
_FAILURES: Final = (TargetError, TruthError, httpx.HTTPError)
_ABOUT: Final = (
    "A city of {lots} lots, {minutes} minutes of each profile at a speed of {speed}, the drivers' "
    "first instant {start}. Free spaces are means of 300 s, of the history, so some ten minutes "
    "are needed for one; bays and ages are looked at once a minute. What `clean` shows is the time "
    "that reports take. The counts of gates drift from the start of the run on, here for "
    "{hours:.1f} hours of the drivers' time. Clocks and connections fail by gateway, of which a "
    "small city has a few: whether one does within the run is chance.\n\n"
)


class StoppedError(Exception):
    """The run was told to end."""


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    made = argparse.ArgumentParser(prog="python -m load_tests.sensors", description=__doc__)
    made.add_argument("--lots", type=int, default=LOTS)
    made.add_argument("--minutes", type=_count, default=MINUTES, help="default: %(default)s")
    made.add_argument("--speed", type=_count, default=SPEED, help="default: %(default)s")
    made.add_argument("--start", default="2026-11-24T08:00", help="of the drivers' time")
    made.add_argument("--report-dir", type=Path, default=Path("var/reports"))
    return made


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return value


def scored(profile: str, options: argparse.Namespace, sleep: Callable[[float], None]) -> Score:
    """Run a city with sensors of a profile, and score it.

    Raises:
        TargetError: The city does not start.
        TruthError: Its truth cannot be read.
        httpx.HTTPError: The platform does not answer.
        StoppedError: `sleep` says so.
    """
    city = ("--speed", str(options.speed), "--start", options.start, "--profile", profile)
    with (
        tempfile.TemporaryDirectory(prefix="onelot-truth-") as truth,
        rig.own_city(options.lots, *city, "--truth", truth) as directory,
    ):
        http = json.loads((directory / "run.json").read_text())["http"]
        with httpx.Client(base_url=http, timeout=_TIMEOUT_S, trust_env=False) as client:
            return score_platform(Path(truth), client, options.minutes, sleep=sleep)


def _score_all(options: argparse.Namespace) -> tuple[list[Score], list[str]]:
    """Score all profiles at the same time; return the scores, and what failed, in words."""
    stop = Event()

    def sleep(duration_s: float) -> None:
        if stop.wait(duration_s):
            raise StoppedError

    def attempt(profile: str) -> Score | str:
        try:
            return scored(profile, options, sleep)
        except _FAILURES as error:
            return f"{profile}: not scored: {error!r}"

    with ThreadPoolExecutor(len(PROFILES)) as pool:
        try:
            results = [*pool.map(attempt, PROFILES)]
        finally:
            # The pool waits for its threads: without this, to the end of their cities' minutes.
            stop.set()
    return (
        [one for one in results if isinstance(one, Score)],
        [one for one in results if isinstance(one, str)],
    )


def main(argv: list[str] | None = None) -> int:
    """Score each profile, and write the report; exit status 2 where one cannot be scored."""
    options = parser().parse_args(argv)
    # As Ctrl-C does: the cities that were started end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        rows, failures = _score_all(options)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130
    hours = options.minutes * options.speed / 60
    words = _ABOUT.format(**vars(options), hours=hours) + (table(rows) if rows else "")
    words += "".join(f"\n{failure}\n" for failure in failures)
    options.report_dir.mkdir(parents=True, exist_ok=True)
    (options.report_dir / "sensors.md").write_text("# Sensors: shown and true\n\n" + words)
    figures = json.dumps([row.row() for row in rows], indent=2)
    (options.report_dir / "sensors.json").write_text(figures + "\n")
    sys.stdout.write(words)
    return 2 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
