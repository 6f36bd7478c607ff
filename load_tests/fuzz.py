"""`python -m load_tests.fuzz`: a million broken messages against a city of its own, with a report.

One gateway sends mutations of valid messages, at each QoS, with and without the retain flag; the
gateways of the other operators send good ones beside it, at a fixed rate whatever happens. Between
two stretches of broken messages there is a quiet one, so that both are measured within one run.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import httpx
import psutil

from load_tests import rig
from load_tests.catalogue import Lot, read_catalogue
from load_tests.fuzz_report import Ingester, Report, Stretch, write
from load_tests.machine import Usage, put_first
from load_tests.plan import Mix, Plan, operators_gateways, written
from load_tests.publisher import NotAckedError, Publisher
from load_tests.samples import Recorder
from load_tests.target import Gateway, Target, TargetError

_OPEN_WITHIN_S: Final = 60.0
_LAST_ACKS_WITHIN_S: Final = 20.0
_STRETCHES: Final = 20


@dataclass(frozen=True)
class Options:
    """What is asked for.

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


class GoodTraffic:
    """Good gateways that send at fixed moments, whatever becomes of the messages before."""

    def __init__(self, plan: Plan) -> None:
        self.recorder = Recorder()
        self.late_s = 0.0
        self._publishers = [Publisher(plan, one, self.recorder) for one in plan.gateways]
        self._per_s = plan.mix.observations_per_s
        self._ended = Event()
        self._thread = Thread(target=self._run)

    @contextmanager
    def running(self) -> Iterator["GoodTraffic"]:
        """Tell every lot's state, then send until the end.

        Raises:
            NotAckedError: The platform does not take the first states in.
        """
        deadline = time.perf_counter() + _OPEN_WITHIN_S
        for one in self._publishers:
            one.open(deadline)
        self._thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            self._thread.join()
            for one in self._publishers:
                one.close(time.perf_counter() + _LAST_ACKS_WITHIN_S)

    @property
    def problems(self) -> dict[str, int]:
        """What went wrong, and how often."""
        total: dict[str, int] = {}
        for one in self._publishers:
            for problem, times in one.problems.items():
                if times:
                    total[problem] = total.get(problem, 0) + times
        return total

    def _run(self) -> None:
        turn = [one for one in self._publishers for _ in range(max(one.feed.sensing_lots, 1))]
        started, index = time.perf_counter(), 0
        while not self._ended.is_set():
            due_s = started + index / self._per_s
            pause_s = due_s - time.perf_counter()
            if pause_s > 0:
                time.sleep(pause_s)
            # From the moment it was due: what waits here because of others counts as well.
            turn[index % len(turn)].change(1, due_s)
            index += 1


@contextmanager
def _sender(plan: Plan) -> Iterator[Callable[[int], dict[str, Any]]]:
    """Start the hostile gateway; give what sends so many messages and tells how they ended."""
    with (
        tempfile.TemporaryDirectory() as directory,
        written(plan, Path(directory) / "plan.json") as file,
    ):
        command = [sys.executable, "-m", "load_tests.fuzz_sender", str(file)]
        # In a session of its own: Linux divides the processors among sessions, and what makes load
        # must not take from what is measured.
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            reading, writing = process.stdout, process.stdin
            if reading is None or writing is None:
                raise TargetError("the sender has no pipes")

            def send(number: int) -> dict[str, Any]:
                print(number, file=writing, flush=True)
                line = reading.readline()
                if not line:
                    raise TargetError("the sender has ended")
                answer: dict[str, Any] = json.loads(line)
                return answer

            yield send
            writing.close()


def run(options: Options, say: Callable[[str], None]) -> Report:
    """Start a city, attack it, and sum up.

    Raises:
        TargetError, NotAckedError: The city does not start or takes nothing in.
    """
    with rig.own_city(options.lots) as directory:
        target = Target.of(directory)
        with rig.simulator_aside(target):
            lots = read_catalogue(target.http)
            if options.first:
                # Not the sender, which starts later, in a session of its own.
                put_first()
            return _attack(options, target, lots, say)


def _attack(
    options: Options, target: Target, lots: Sequence[Lot], say: Callable[[str], None]
) -> Report:
    hostile, *good = operators_gateways(target, lots, simulated=True)
    attack = _plan(options, target, [hostile], lots, options.per_s)
    traffic = GoodTraffic(_plan(options, target, good, lots, options.good_per_s))
    ingester = psutil.Process(target.processes["ingester"])
    report = Report(asdict(options) | {"report_dir": str(options.report_dir)})
    deadline = time.monotonic() + options.within_s
    with traffic.running(), _sender(attack) as send:
        time.sleep(options.quiet_s / 2)
        for number in _stretches(options.number):
            report.stretches.append(_quiet(options.quiet_s))
            if time.monotonic() > deadline:
                report.cut = True
                break
            stretch, report.ended = _fuzz(send, number)
            report.stretches.append(stretch)
            say(_progress(report, options.number))
            if not ingester.is_running():
                report.ended["problems"]["the ingester died"] = str(target.directory)
                break
    report.good = traffic.recorder.samples()
    report.good_problems = traffic.problems
    report.ingester = Ingester.read(target.metrics, ingester)
    return report


def _stretches(number: int) -> list[int]:
    """Divide the messages over the stretches."""
    whole, rest = divmod(number, _STRETCHES)
    return [size for size in [whole + (index < rest) for index in range(_STRETCHES)] if size]


def _quiet(length_s: float) -> Stretch:
    started, before = time.time(), Usage.now()
    time.sleep(length_s)
    return Stretch(started, time.time(), 0, *Usage.now().processors_since(before))


def _fuzz(send: Callable[[int], dict[str, Any]], number: int) -> tuple[Stretch, dict[str, Any]]:
    started, before = time.time(), Usage.now()
    ended = send(number)
    return Stretch(started, time.time(), number, *Usage.now().processors_since(before)), ended


def _progress(report: Report, wanted: int) -> str:
    last = report.stretches[-1]
    per_s = last.messages / (last.ended_s - last.started_s)
    problems = len(report.ended["problems"])
    return f"{report.ended['sent']:>9,} of {wanted:,}  {per_s:>6,.0f}/s  {problems} problems"


def _plan(
    options: Options, target: Target, gateways: Sequence[Gateway], lots: Sequence[Lot], per_s: float
) -> Plan:
    return Plan(
        http=target.http,
        mqtt_host=target.mqtt_host,
        mqtt_port=target.mqtt_port,
        mix=Mix(0.0, 0.0, per_s, 1, 0.0),
        warm_up_s=0.0,
        duration_s=0.0,
        lots=tuple(lots),
        gateways=tuple(gateways),
        seed=options.seed,
    )


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
    given = vars(parser().parse_args(argv))
    options = Options(**given)
    name = datetime.now().astimezone().strftime("%Y%m%dT%H%M%S-fuzz")
    try:
        report = run(options, _say)
    except (TargetError, NotAckedError, httpx.HTTPError, LookupError) as error:
        _say(f"the fuzzer could not run: {error}")
        return 2
    text = write(report, options.report_dir / name)
    _say(f"\n{text}\nreport: {options.report_dir / name}/summary.md")
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
