"""The stretches of a load test, one after another: the mix, freshness, ingest."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from load_tests.catalogue import Lot
from load_tests.freshness import Probe
from load_tests.kinds import APPLIED
from load_tests.plan import Mix, Plan, operators_gateways, written
from load_tests.samples import Samples
from load_tests.target import Gateway, Target, TargetError
from load_tests.watching import Ingested, Watch, count_events, load_average, read_counters

_READY_WITHIN_S: Final = 200.0
_END_WITHIN_S: Final = 90.0


class StageError(Exception):
    """A process that makes load has failed; the message names its log."""


@dataclass(frozen=True)
class Session:
    """What all stages share.

    Attributes:
        target: The city.
        lots: The city's lots.
        reports: The directory of this test's reports.
        drives_all: Whether the load plays every gateway, the simulator being away.
        seed: For places, chances and bays.
        warm_up_s: Left out at the start of each stage, until the first snapshots of all lots have
            settled in the database.
    """

    target: Target
    lots: tuple[Lot, ...]
    reports: Path
    drives_all: bool
    seed: int
    warm_up_s: float = 8.0

    def plan(self, mix: Mix, duration_s: float, gateways: list[Gateway]) -> Plan:
        """Make the plan of a stage."""
        return Plan(
            http=self.target.http,
            mqtt_host=self.target.mqtt_host,
            mqtt_port=self.target.mqtt_port,
            mix=mix,
            warm_up_s=self.warm_up_s,
            duration_s=duration_s,
            lots=self.lots,
            gateways=tuple(gateways),
            seed=self.seed,
        )

    def free_gateways(self) -> list[Gateway]:
        """Return the gateways that no simulator ever drives."""
        return operators_gateways(self.target, self.lots, simulated=False)

    def operators(self) -> list[Gateway]:
        """Return the gateways that operators play: the simulator's own, or else the free ones."""
        if self.drives_all:
            return operators_gateways(self.target, self.lots, simulated=True)
        return self.free_gateways()

    def marked(self) -> tuple[Gateway, Lot]:
        """Choose the gateway and the lot of the marked changes.

        Raises:
            TargetError: There is no free gateway with a lot that senses its bays.
        """
        by_id = {lot.lot_id: lot for lot in self.lots}
        for gateway in self.free_gateways():
            for lot in map(by_id.__getitem__, gateway.lots):
                if lot.reporting == "bays":
                    return gateway, lot
        raise TargetError("no gateway is free for the marked changes")


@dataclass
class Stage:
    """What one stage gave.

    Attributes:
        name: What it was.
        started_s: Unix second at which its measuring began.
        length_s: How long it was measured.
        samples: Of that time.
        failures: Wrong answers and refused messages: `name`, `problem`, `times`.
        counted: Other things, by name.
        ingested: What the ingester committed in that time.
        cores: Processors used by each program.
        load_average: Of the machine at its end.
        notes: What else is to be said of it.
    """

    name: str
    started_s: float
    length_s: float
    samples: Samples
    failures: list[dict[str, Any]]
    counted: Mapping[str, int]
    ingested: Ingested | None
    cores: Mapping[str, float]
    load_average: float
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Engine:
    """A process that makes load and has said that it is ready."""

    process: "subprocess.Popen[str]"
    directory: Path

    def go_on(self) -> None:
        """Send a line: the publisher begins at it, the swarm ends at it."""
        if self.process.stdin is not None and self.process.poll() is None:
            self.process.stdin.write("\n")
            self.process.stdin.flush()

    def finish(self, within_s: float) -> None:
        """Wait for its end.

        Raises:
            StageError: It failed, or does not end.
        """
        try:
            status = self.process.wait(within_s)
        except subprocess.TimeoutExpired as error:
            raise StageError(f"the load does not end: {self.log}") from error
        if status:
            raise StageError(f"the load has failed: {self.log}")

    @property
    def log(self) -> Path:
        """Its standard error."""
        return self.directory / "log.txt"

    def outcome(self) -> dict[str, Any]:
        """Read its summary."""
        text = (self.directory / "outcome.json").read_text(encoding="utf-8")
        return dict(json.loads(text))


@contextmanager
def engine(module: str, plan: Plan, directory: Path) -> Iterator[Engine]:
    """Run a process that makes load, until it is ready; it does not outlive the context.

    Raises:
        StageError: It ends before it is ready.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with written(plan, directory / "plan.json") as path, (directory / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"load_tests.{module}", str(path), str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            # It ends by itself when it is not ready in time, and then gives an empty line.
            if process.stdout is None or not process.stdout.readline():
                raise StageError(f"the load does not start: {log.name}")
            yield Engine(process, directory)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(_END_WITHIN_S)


def _stage(name: str, made: Engine, watch: Watch) -> Stage:
    outcome = made.outcome()
    start_s, end_s = outcome["started_s"], outcome["ended_s"]
    return Stage(
        name=name,
        started_s=start_s,
        length_s=end_s - start_s,
        samples=Samples.load(made.directory / "samples.npz").within(start_s, end_s),
        failures=outcome["failures"],
        counted=outcome["counted"],
        ingested=watch.ingested(start_s, end_s),
        cores=watch.cores(start_s, end_s),
        load_average=load_average(),
    )


def mixed(session: Session, mix: Mix, duration_s: float) -> Stage:
    """Load the city with drivers, operators and operations together."""
    gateways = session.operators() if mix.observations_per_s else []
    plan = session.plan(mix, duration_s, gateways)
    with Watch(session.target) as watch:
        with engine("swarm", plan, session.reports / "mixed") as made:
            made.finish(duration_s + _END_WITHIN_S)
        return _stage("mixed", made, watch)


def freshness(session: Session, mix: Mix, changes: int, most_s: float) -> Stage:
    """Measure freshness while the mix loads the city.

    Args:
        session: What all stages share.
        mix: The load around it.
        changes: How many marked changes.
        most_s: The longest that it may take.
    """
    gateway, lot = session.marked()
    # The free gateway is taken by the marked changes.
    gateways = session.operators() if session.drives_all else []
    around = mix if gateways else replace(mix, observations_per_s=0.0)
    plan = session.plan(around, most_s, gateways)
    with Watch(session.target) as watch:
        with engine("swarm", plan, session.reports / "freshness") as made:
            probe = Probe(session.target, gateway, lot, session.seed)
            try:
                probe.open()
                probe.run(changes, perf_counter() + most_s - 1.0)
            finally:
                probe.close()
            made.go_on()
            made.finish(_END_WITHIN_S)
        stage = _stage("freshness", made, watch)
    stage.samples = Samples({**stage.samples.by_kind, **probe.recorder.samples().by_kind})
    stage.failures += [
        {"name": "freshness", "problem": problem, "times": times}
        for problem, times in probe.outcome.problems.items()
    ]
    stage.notes.append(f"{probe.outcome.changes} marked changes, {probe.outcome.polls} polls")
    return stage


def ingest(session: Session, per_s: float, bays: int, duration_s: float) -> Stage:
    """Measure how many observations of bays are committed, MQTT to COMMIT.

    The acks, the ingester's counters and the stored changes are held against one another.

    Raises:
        TargetError: The simulator is not away, or the ingester's counters cannot be read.
    """
    if not session.drives_all:
        raise TargetError("the ingest benchmark needs every gateway and the ingester's counters")
    mix = Mix(0.0, 0.0, per_s, bays, 0.0)
    plan = session.plan(mix, duration_s, session.operators())
    name = f"ingest, {bays} a message"
    with Watch(session.target) as watch:
        with engine("publisher", plan, session.reports / f"ingest-{bays}") as made:
            before = read_counters(session.target.metrics)
            made.go_on()
            made.finish(duration_s + _END_WITHIN_S)
            done = read_counters(session.target.metrics).since(before)
        stage = _stage(name, made, watch)
    begun_s = stage.started_s - plan.warm_up_s
    ended_s = stage.started_s + stage.length_s + _END_WITHIN_S
    stored = asyncio.run(count_events(session.target.database_url, begun_s, ended_s))
    acked = stage.counted[f"{APPLIED}, spaces"]
    stage.notes.append(f"{acked:,} acked, {done.observations:,} counted, {stored:,} stored")
    if not acked == done.observations == stored:
        stage.failures.append({"name": "ingest", "problem": "counts differ", "times": 1})
    return stage
