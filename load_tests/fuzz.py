"""`python -m load_tests.fuzz`: a million broken messages against a city of its own, with a report.

One gateway sends mutations of valid messages, at each QoS, with and without the retain flag; the
gateways of the other operators send good ones beside it, at a fixed rate whatever happens. Between
two stretches of broken messages there is a quiet one, so that both are measured within one run.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx
import psutil

from load_tests import rig
from load_tests.catalogue import read_catalogue
from load_tests.fuzz_report import Ingester, Report, Stretch, write
from load_tests.machine import Usage, put_first
from load_tests.plan import Mix
from load_tests.stages import Engine, Session, StageError, engine
from load_tests.target import Target, TargetError

_A_DAY_S: Final = 86_400.0
_LAST_ACKS_WITHIN_S: Final = 40.0
_STRETCHES: Final = 20


@dataclass(frozen=True)
class Options:
    """What the command line asks for.

    Attributes:
        number: Messages.
        per_s: How many a second, where the platform keeps up.
        good_per_s: Good messages a second beside them.
        quiet_s: Length of each quiet stretch, in seconds.
        within_s: After so long no further stretch is begun.
        seed: Of the messages.
        lots: Of the city.
        first: Whether the city goes before everything else on this machine.
        report_dir: Where the report goes.
    """

    number: int
    per_s: float
    good_per_s: float
    quiet_s: float
    within_s: float
    seed: int
    lots: int
    first: bool
    report_dir: Path


def run(options: Options, reports: Path, say: Callable[[str], None]) -> Report:
    """Start a city, attack it, and sum up.

    Args:
        options: What is asked for.
        reports: The directory of this run's report.
        say: Gets each line of progress.

    Raises:
        TargetError, StageError: The city does not start, takes nothing in, or the sender fails.
    """
    with rig.own_city(options.lots) as directory:
        target = Target.of(directory)
        with rig.simulator_aside(target):
            lots = read_catalogue(target.http)
            session = Session(target, lots, reports, drives_all=True, seed=options.seed)
            if options.first:
                # Not the sender, which starts later, in a session of its own.
                put_first()
            return _attack(options, session, say)


def _attack(options: Options, session: Session, say: Callable[[str], None]) -> Report:
    hostile, *good = session.operators()
    attack = session.plan(Mix(observations_per_s=options.per_s), 0.0, [hostile])
    # What waits because of others counts as well.
    beside = Mix(observations_per_s=options.good_per_s, from_due=True)
    traffic = session.plan(beside, _A_DAY_S, good)
    ingester = psutil.Process(session.target.processes["ingester"])
    report = Report(asdict(options) | {"report_dir": str(options.report_dir)})
    deadline = time.monotonic() + options.within_s
    with (
        engine("publisher", traffic, session.reports / "good") as publisher,
        # In a session of its own: Linux divides the processors among sessions, and what makes load
        # must not take from what is measured.
        engine("fuzz_sender", attack, session.reports, start_new_session=True) as sender,
    ):
        publisher.send()
        time.sleep(options.quiet_s / 2)
        for number in _stretches(options.number):
            with _stretch(report, 0):
                time.sleep(options.quiet_s)
            if time.monotonic() > deadline:
                report.cut = True
                break
            with _stretch(report, number):
                _fuzz(sender, number, report)
            say(_progress(report, options.number))
            if not ingester.is_running():
                report.ended["problems"]["the ingester died"] = str(session.target.directory)
                break
        publisher.send()
        publisher.finish(_LAST_ACKS_WITHIN_S)
    failures = publisher.outcome()["failures"]
    report.good_problems = {one["problem"]: one["times"] for one in failures if one["times"]}
    report.good = publisher.samples()
    report.ingester = Ingester.read(session.target.metrics, ingester)
    return report


def _stretches(number: int) -> list[int]:
    """Divide the messages over the stretches."""
    each, rest = divmod(number, _STRETCHES)
    return [size for size in [each + (index < rest) for index in range(_STRETCHES)] if size]


@contextmanager
def _stretch(report: Report, messages: int) -> Iterator[None]:
    """Add a stretch to the report: its length, and who used the processors meanwhile."""
    before = Usage.now({})
    yield
    after = Usage.now({})
    cores = after.cores_since(before)
    report.stretches.append(
        Stretch(before.at_s, after.at_s, messages, cores["load"], cores["others"])
    )


def _fuzz(sender: Engine, number: int, report: Report) -> None:
    sender.send(str(number))
    if not (line := sender.answer()):
        raise StageError(f"the sender has ended: {sender.log}")
    report.ended = json.loads(line)


def _progress(report: Report, wanted: int) -> str:
    last = report.stretches[-1]
    problems = len(report.ended["problems"])
    per_s = last.messages / last.length_s
    return f"{report.ended['sent']:>9,} of {wanted:,}  {per_s:>6,.0f}/s  {problems} problems"


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    made = argparse.ArgumentParser(prog="python -m load_tests.fuzz", description=__doc__)
    made.add_argument("--number", type=int, default=1_000_000, help="messages")
    made.add_argument("--per-s", type=float, default=1250.0, help="messages a second at most")
    made.add_argument("--good-per-s", type=float, default=50.0, help="good messages beside them")
    made.add_argument("--quiet-s", type=float, default=4.0, help="seconds of a quiet stretch")
    made.add_argument("--within-s", type=float, default=900.0, help="seconds, then it ends early")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--lots", type=int, default=60, help="of the city")
    made.add_argument(
        "--first",
        action="store_true",
        help="let the city go before all else on a machine that others use too (Linux, as root)",
    )
    made.add_argument("--report-dir", type=Path, default=Path("var/reports"))
    return made


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command's progress and result


def main(argv: list[str] | None = None) -> int:
    """Run the fuzzer; 0 when nothing was found, 1 when something was, 2 when it could not run."""
    options = Options(**vars(parser().parse_args(argv)))
    reports = options.report_dir / datetime.now().astimezone().strftime("%Y%m%dT%H%M%S-fuzz")
    try:
        report = run(options, reports, _say)
    except (TargetError, StageError, httpx.HTTPError, LookupError) as error:
        _say(f"the fuzzer could not run: {error}")
        return 2
    text = write(report, reports)
    _say(f"\n{text}\nreport: {reports}/summary.md")
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
