"""A load test from beginning to end: its city, its stages, its report."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from load_tests import chart, report, rig, stages
from load_tests.catalogue import read_catalogue
from load_tests.plan import Mix
from load_tests.progress import shown
from load_tests.scenarios import SCENARIOS
from load_tests.stages import Session, Stage
from load_tests.target import Target, TargetError
from load_tests.watching import with_states

MIXED: Final = ("drivers", "operators", "operations")
PARTS: Final = (*MIXED, "freshness", "ingest")
MIX: Final = "mix"
ALL: Final = "all"
_MIX_S: Final = 14.0
# About as long as one marked change takes, with the pause before it.
_CHANGE_S: Final = 0.08
# A little more than the goal, so that random arrivals reach it.
_MARGIN: Final = 1.04


@dataclass(frozen=True)
class Options:
    """What the command line asks for.

    Attributes:
        run_file: The running city's.
        credentials: The gateways' passwords.
        report_dir: Gets a directory for each test.
        private: Run a city of our own instead.
        lots: Of that city; None for all.
        keep_simulator: Leave the running city's simulator alone.
        scenario: `MIX`, one of `SCENARIOS`, or `ALL` of those but the ramp.
        only: Parts of the mix.
        duration_s: Of the mix and, halved, of each ingest benchmark; or of each scenario. None:
            as long as each of them usually is.
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
    scenario: str
    only: tuple[str, ...]
    duration_s: float | None
    nearest_per_s: float
    follow_share: float
    observations_per_s: float
    ingest_per_s: float
    changes: int
    seed: int


@dataclass(frozen=True)
class Step:
    """A stage to run: its name, and the seconds that it measures."""

    name: str
    about_s: float
    run: Callable[[], Stage]


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
        made = [
            stage
            for directory, steps in _chosen(options, session)
            for stage in _made(steps, command, directory, say)
        ]
    if not made:
        raise TargetError("nothing of what is asked for can be measured here")
    return _conclude(made, reports, say)


def _made(
    steps: list[Step], command: str, directory: Path, say: Callable[[str], None]
) -> list[Stage]:
    """Run stages one after another, and report them in a directory."""
    made = []
    for step in steps:
        with shown(step.name, step.about_s, say):
            made.append(step.run())
        say(f"{step.name}: done, load average {made[-1].load_average}")
    if made:
        report.write(directory, command, made)
        chart.draw(made, directory / "latency.png")
    return made


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
            say("the simulator is paused; it goes on afterwards")
            stack.enter_context(rig.simulator_aside(target))
        lots = asyncio.run(with_states(read_catalogue(target.http), target.database_url))
        yield Session(
            target=target,
            lots=lots,
            reports=reports,
            drives_all=drives_all,
            seed=options.seed,
        )


def _only(mix: Mix, parts: tuple[str, ...]) -> Mix:
    """Leave out who is not asked for."""
    return replace(
        mix,
        nearest_per_s=mix.nearest_per_s if "drivers" in parts else 0.0,
        observations_per_s=mix.observations_per_s if "operators" in parts else 0.0,
        city_every_s=mix.city_every_s if "operations" in parts else 0.0,
    )


def _chosen(options: Options, session: Session) -> Iterator[tuple[Path, list[Step]]]:
    """Return what is asked for, by the directory of its report."""
    mix = Mix(
        nearest_per_s=options.nearest_per_s * _MARGIN,
        follow_share=options.follow_share,
        observations_per_s=options.observations_per_s * _MARGIN,
        bays_per_message=4,
        city_every_s=3.0,
        # Each lot that counts reports every minute or so.
        count_share=0.05,
    )
    if options.scenario == MIX:
        yield session.reports, _mix_steps(options, session, mix)
        return
    for name, (scenario, usual_s) in SCENARIOS.items():
        if options.scenario == name or (options.scenario == ALL and name != "ramp"):
            duration_s = options.duration_s or usual_s
            inside = replace(session, reports=session.reports / name)
            step = Step(name, duration_s, partial(scenario, inside, mix, duration_s))
            yield inside.reports, [step]


def _mix_steps(options: Options, session: Session, mix: Mix) -> list[Step]:
    steps, duration_s = [], options.duration_s or _MIX_S
    if set(MIXED) & set(options.only):
        parts = _only(mix, options.only)
        steps.append(Step("mixed", duration_s, partial(stages.mixed, session, parts, duration_s)))
    if "freshness" in options.only:
        most_s = max(2 * duration_s, 2 * _CHANGE_S * options.changes)
        run_it = partial(stages.freshness, session, mix, options.changes, most_s)
        steps.append(Step("freshness", _CHANGE_S * options.changes, run_it))
    if "ingest" in options.only and session.drives_all:
        for bays in (4, 1):
            run_it = partial(stages.ingest, session, options.ingest_per_s, bays, duration_s / 2)
            steps.append(Step(f"ingest, {bays} a message", duration_s / 2, run_it))
    return steps


def _conclude(made: list[Stage], reports: Path, say: Callable[[str], None]) -> int:
    goals, faults = report.goals(made), report.faults(made)
    say("")
    say(report.goals_table(goals))
    for fault in faults:
        say(
            f"WRONG: {fault['stage']}: {fault['name']}: {fault['problem']} ({fault['times']} times)"
        )
    say(f"\nreport: {reports}: summary.md, latency.png, report.html of each scenario or stage")
    missed = any(goal.reached is False for goal in goals)
    return 1 if missed or faults else 0
