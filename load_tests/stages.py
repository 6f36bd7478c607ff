"""The stages of a load test, one after another: the mix, freshness, ingest."""

import asyncio
import json
import subprocess
import sys
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter, time
from typing import Any, Final

from load_tests.catalogue import Lot
from load_tests.freshness import Probe
from load_tests.kinds import APPLIED
from load_tests.plan import Mix, Plan, operators_gateways, written
from load_tests.samples import Samples
from load_tests.target import Target, TargetError
from load_tests.watching import Counters, Ingested, Watch, count_events, load_average
from simulators.registry import Credentials

END_WITHIN_S: Final = 90.0


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
        warm_up_s: Left out at the start of each stage.
    """

    target: Target
    lots: tuple[Lot, ...]
    reports: Path
    drives_all: bool
    seed: int
    warm_up_s: float = 3.0

    def plan(self, mix: Mix, duration_s: float, gateways: list[Credentials]) -> Plan:
        """Make the plan of a stage."""
        return Plan(
            http=self.target.http,
            mqtt=self.target.mqtt,
            mix=mix,
            warm_up_s=self.warm_up_s,
            duration_s=duration_s,
            lots=self.lots,
            gateways=tuple(gateways),
            seed=self.seed,
        )

    def operators(self) -> list[Credentials]:
        """Return the gateways that operators play: the simulator's own, or else the free ones."""
        return operators_gateways(self.target, self.lots, simulated=self.drives_all)

    def marked(self) -> tuple[Credentials, Lot]:
        """Choose the gateway and the lot of the marked changes; operators do not play them.

        Where the simulator is away, one of its lots, of which the state is known before and after;
        or else, or where it has no gateway to spare, a lot of a gateway that it never drives.

        Raises:
            TargetError: There is no such gateway with a lot that senses its bays.
        """
        played = {gateway.username for gateway in self.operators()} if self.drives_all else set()
        spare = [
            one
            for one in self.target.gateways
            if one.username not in played and (self.drives_all or not one.simulated)
        ]
        by_id = {lot.lot_id: lot for lot in self.lots}
        for gateway in sorted(spare, key=lambda one: one.simulated, reverse=True):
            for lot in map(by_id.get, gateway.lots):
                if lot and lot.reporting == "bays" and lot.is_always_open:
                    return gateway, lot
        raise TargetError("no gateway is free for the marked changes")


@dataclass
class Stage:
    """The results of one stage.

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
        notes: Other results, in words.
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
    """A process that makes load."""

    process: "subprocess.Popen[str]"
    directory: Path

    def send(self, line: str = "") -> None:
        """Send a line: the publisher begins at it, the swarm ends at it."""
        if self.process.stdin is not None and self.process.poll() is None:
            print(line, file=self.process.stdin, flush=True)

    def answer(self) -> str:
        """Read a line of its standard output; empty where it has ended."""
        return self.process.stdout.readline() if self.process.stdout is not None else ""

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

    def samples(self) -> Samples:
        """Read its measurements."""
        return Samples.load(self.directory / "samples.npz")

    def outcome(self) -> dict[str, Any]:
        """Read its summary."""
        return dict(json.loads((self.directory / "outcome.json").read_bytes()))


@contextmanager
def engine(
    module: str, plan: Plan, directory: Path, *, start_new_session: bool = False
) -> Iterator[Engine]:
    """Run a process that makes load, until it is ready; it does not outlive the context.

    Args:
        module: Its module, of ours.
        plan: What it is to do.
        directory: Where it writes its log and its outcome.
        start_new_session: Whether it leaves the terminal's session.

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
            start_new_session=start_new_session,
            # Where the simulator is paused, it goes on when this process has ended too.
            close_fds=False,
        )
        made = Engine(process, directory)
        try:
            # It ends by itself when it is not ready in time.
            if not made.answer():
                raise StageError(f"the load does not start: {log.name}")
            yield made
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(END_WITHIN_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def summed_up(name: str, engines: Sequence[Engine], watch: Watch) -> Stage:
    """Sum up what the engines measured; the first one says when the measuring began and ended."""
    outcomes = [one.outcome() for one in engines]
    start_s, end_s = outcomes[0]["started_s"], outcomes[0]["ended_s"]
    by_kind = ChainMap(*(dict(one.samples().within(start_s, end_s).by_kind) for one in engines))
    return Stage(
        name=name,
        started_s=start_s,
        length_s=end_s - start_s,
        samples=Samples(dict(by_kind)),
        failures=[failure for one in outcomes for failure in one["failures"]],
        counted=dict(ChainMap(*(one["counted"] for one in outcomes))),
        ingested=watch.ingested(start_s, end_s),
        cores=watch.cores(start_s, end_s),
        load_average=load_average(),
        notes=[note for one in outcomes for note in one["notes"]],
    )


def everyday(
    session: Session, name: str, plan: Plan, measure: Callable[[], None] | None = None
) -> Stage:
    """Load the city with drivers, operators and operations together.

    Args:
        session: What all stages share.
        name: Of the stage.
        plan: Who and how hard; operators are left out where it has no gateways.
        measure: What else is measured meanwhile; the stage ends with it.
    """
    directory = session.reports / name
    with Watch(session.target) as watch, ExitStack() as stack:
        operators: list[Engine] = []
        if plan.gateways:
            longer = replace(plan, duration_s=plan.duration_s + END_WITHIN_S)
            publisher = engine("publisher", longer, directory / "operators")
            operators.append(stack.enter_context(publisher))
            operators[0].send()
        swarm = stack.enter_context(engine("swarm", plan, directory))
        if measure is not None:
            measure()
            swarm.send()
        swarm.finish(plan.duration_s + END_WITHIN_S)
        for one in operators:
            # It ends, and puts back what it has changed.
            one.send()
            one.finish(END_WITHIN_S)
        return summed_up(name, [swarm, *operators], watch)


def mixed(session: Session, mix: Mix, duration_s: float) -> Stage:
    """Load the city with drivers, operators and operations together."""
    gateways = session.operators() if mix.observations_per_s else []
    return everyday(session, "mixed", session.plan(mix, duration_s, gateways))


def freshness(session: Session, mix: Mix, changes: int, most_s: float) -> Stage:
    """Measure freshness while the mix loads the city.

    Args:
        session: What all stages share.
        mix: The load around it.
        changes: How many marked changes.
        most_s: The longest that it may take.
    """
    gateway, lot = session.marked()
    # A free gateway is taken by the marked changes, and a lot has one gateway at a time.
    gateways = [
        replace(one, lots=tuple(each for each in one.lots if each != lot.lot_id))
        for one in (session.operators() if session.drives_all else [])
    ]
    probe = Probe(session.plan(mix, most_s, [replace(gateway, lots=(lot.lot_id,))]))
    stage = everyday(
        session,
        "freshness",
        session.plan(mix, most_s, gateways),
        lambda: probe.run(changes, perf_counter() + most_s - 1.0),
    )
    stage.samples = Samples({**stage.samples.by_kind, **probe.recorder.samples().by_kind})
    stage.failures += [
        {"name": "freshness", "problem": problem, "times": times}
        for problem, times in probe.publisher.problems.items()
        if times
    ]
    stage.notes.append(f"{probe.changes} marked changes, {probe.polls} polls")
    return stage


def ingest(session: Session, per_s: float, bays: int, duration_s: float) -> Stage:
    """Measure how many observations of bays are committed, MQTT to COMMIT.

    The acks, the ingester's counters and the stored changes are compared.

    Raises:
        TargetError: The simulator is not away, or the ingester's counters cannot be read.
    """
    if not session.drives_all:
        raise TargetError("the ingest benchmark needs every gateway and the ingester's counters")
    mix = Mix(observations_per_s=per_s, bays_per_message=bays)
    plan = session.plan(mix, duration_s, session.operators())
    name = f"ingest, {bays} a message"
    with Watch(session.target) as watch:
        with engine("publisher", plan, session.reports / f"ingest-{bays}") as made:
            before, begun_s = Counters.read(session.target.metrics), time()
            made.send()
            made.answer()
            # All is acked, and nothing is put back yet.
            done = Counters.read(session.target.metrics).since(before)
            events = count_events(session.target.database_url, begun_s, time() + 1.0)
            stored = asyncio.run(events)
            made.send()
            made.finish(END_WITHIN_S)
        stage = summed_up(name, [made], watch)
    acked = stage.counted[f"{APPLIED}, spaces"]
    stage.notes.append(f"{acked:,} acked, {done.observations:,} counted, {stored:,} stored")
    if not acked == done.observations == stored:
        stage.failures.append({"name": "ingest", "problem": "counts differ", "times": 1})
    return stage
