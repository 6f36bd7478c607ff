"""A whole load test: which stages, in which surroundings, with which report."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from load_tests import chart, report, rig, stages
from load_tests.catalogue import read_catalogue
from load_tests.plan import Mix
from load_tests.stages import Session, Stage
from load_tests.target import Target, TargetError

MIXED: Final = ("drivers", "operators", "operations")
PARTS: Final = (*MIXED, "freshness", "ingest")
# A little more than is to be reached: the rate of arrivals is what the platform is held to.
_MARGIN: Final = 1.04


@dataclass(frozen=True)
class Options:
    """What the command line asks for.

    Attributes:
        run_file: The running city's.
        credentials: The gateways' passwords.
        report_dir: Gets a directory for each test.
        private: Run a city of our own instead.
        lots: Of that city; None for the whole.
        keep_simulator: Leave the running city's simulator alone.
        only: Parts of the test.
        duration_s: Of the mix, and of each ingest benchmark.
        nearest_per_s: Drivers' rate.
        follow_share: Of drivers who look closer.
        observations_per_s: Operators' rate in the mix.
        ingest_per_s: In the benchmark.
        changes: Marked ones.
        seed: For places, chances and bays.
    """

    run_file: Path
    credentials: Path
    report_dir: Path
    private: bool
    lots: int | None
    keep_simulator: bool
    only: tuple[str, ...]
    duration_s: float
    nearest_per_s: float
    follow_share: float
    observations_per_s: float
    ingest_per_s: float
    changes: int
    seed: int


def run(options: Options, command: str, now: datetime, say: Callable[[str], None]) -> int:
    """Run a load test, and report it.

    Args:
        options: What is asked for.
        command: As it was typed, for the report.
        now: Names the report's directory.
        say: Gets each line of progress and the result.

    Returns:
        The exit status: 0 when every answer was right and every target reached, else 1.

    Raises:
        TargetError: There is no city to load.
        StageError: The load itself failed.
    """
    reports = options.report_dir / now.strftime("%Y%m%dT%H%M%S")
    reports.mkdir(parents=True)
    with surroundings(options, reports, say) as session:
        if not session.drives_all:
            say("the simulator stays: only the free gateway's lots are reported for, no ingest")
        made = []
        for stage in _chosen(options, session):
            made.append(stage)
            say(f"{stage.name}: done, load average {stage.load_average}")
    if not made:
        raise TargetError("nothing of what is asked for can be measured here")
    report.write(reports, command, made)
    chart.draw(made, reports / "latency.png")
    return _tell(made, reports, say)


@contextmanager
def surroundings(options: Options, reports: Path, say: Callable[[str], None]) -> Iterator[Session]:
    """Find or start a city, and put its simulator aside if the load is to play its gateways."""
    with ExitStack() as stack:
        run_file, credentials = options.run_file, options.credentials
        if options.private:
            say("starting a city of our own")
            directory = stack.enter_context(rig.own_city(options.lots))
            run_file, credentials = directory / "run.json", directory / "credentials.json"
        target = Target.read(run_file, credentials)
        drives_all = not options.keep_simulator and (
            "simulator" not in target.processes or rig.can_take_over(target)
        )
        if drives_all and "simulator" in target.processes:
            say("the simulator is put aside; it starts again afterwards")
            stack.enter_context(rig.simulator_aside(target))
        yield Session(
            target=target,
            lots=read_catalogue(target.http),
            reports=reports,
            drives_all=drives_all,
            seed=options.seed,
        )


def _mix(options: Options) -> Mix:
    return Mix(
        nearest_per_s=options.nearest_per_s * _MARGIN,
        follow_share=options.follow_share,
        observations_per_s=options.observations_per_s * _MARGIN,
        bays_per_message=4,
        city_every_s=3.0,
    )


def _only(mix: Mix, parts: tuple[str, ...]) -> Mix:
    """Leave out who is not asked for."""
    return replace(
        mix,
        nearest_per_s=mix.nearest_per_s if "drivers" in parts else 0.0,
        observations_per_s=mix.observations_per_s if "operators" in parts else 0.0,
        city_every_s=mix.city_every_s if "operations" in parts else 0.0,
    )


def _chosen(options: Options, session: Session) -> Iterator[Stage]:
    mix = _mix(options)
    if set(MIXED) & set(options.only):
        yield stages.mixed(session, _only(mix, options.only), options.duration_s)
    if "freshness" in options.only:
        most_s = max(4 * options.duration_s, 0.5 * options.changes)
        yield stages.freshness(session, mix, options.changes, most_s)
    if "ingest" in options.only and session.drives_all:
        for bays in (4, 1):
            yield stages.ingest(session, options.ingest_per_s, bays, options.duration_s / 2)


def _tell(made: list[Stage], reports: Path, say: Callable[[str], None]) -> int:
    goals, faults = report.goals(made), report.faults(made)
    say("")
    say(report.goals_table(goals))
    for fault in faults:
        say(
            f"WRONG: {fault['stage']}: {fault['name']}: {fault['problem']} ({fault['times']} times)"
        )
    say(f"\nreport: {reports}/summary.md, latency.png, */report.html")
    missed = any(goal.reached is False for goal in goals)
    return 1 if missed or faults else 0
