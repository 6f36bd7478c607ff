"""Latency at half of what the API can answer, and how fresh answers are then; open loop."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

from load_tests.bench.asking import BenchError, ask
from load_tests.bench.city import City
from load_tests.bench.results import Goal, Part, figure
from load_tests.bench.servers import Contender
from load_tests.freshness import Probe
from load_tests.kinds import ACK, FRESH
from load_tests.machine import Usage
from load_tests.plan import Mix
from load_tests.samples import Samples, percentiles
from load_tests.stages import Session, engine
from load_tests.watching import Counters

_SATURATION_S: Final = 2.0
_BAYS: Final = 10
_CHANGES_A_SECOND: Final = 12
_LEAST_CHANGES: Final = 40
_LONGEST_CHANGE_S: Final = 1.0
_LEAST_S: Final = 30.0
_LONGEST_S: Final = 600.0
_END_WITHIN_S: Final = 30.0


def latency(city: City) -> Part:
    """Measure `/v1/nearest` at half of saturation, alone and beside 10,000 observations/s."""
    part, asked = Part("latency, open loop"), city.paths("/v1/nearest")
    most = ask(city.api.url, asked, max(city.seconds, _SATURATION_S)).per_s
    per_s, of_all = city.share * most, f"{city.share:.0%} of what 16 connections got"
    part.notes.append(f"questions: {per_s:,.0f}/s, {of_all}; Poisson")
    rounds = [asked_at(city.api, asked, per_s, city.seconds) for _ in range(city.rounds)]
    for name in ("p50", "p99"):
        values = [each[f"{name}_ms"] for each in rounds]
        part.figures.append(figure(f"nearest_{name}", f"/v1/nearest, {name}", values, unit="ms"))
    part.runs += rounds
    with city.simulator_aside():
        _freshness(city, asked, per_s, part)
    return part


def asked_at(server: Contender, paths: Path, per_s: float, seconds: float) -> dict[str, Any]:
    """Ask at a rate, in an open loop; return what `load_tests.bench.open_loop` found.

    Raises:
        BenchError: An answer was wrong, or did not come.
    """
    with _asking(server, paths, per_s, seconds) as process:
        return _found(process, seconds + _END_WITHIN_S)


@contextmanager
def _asking(
    server: Contender, paths: Path, per_s: float, seconds: float
) -> Iterator["subprocess.Popen[str]"]:
    command = [
        *(sys.executable, "-m", "load_tests.bench.open_loop", server.url, str(paths)),
        *("--per-s", str(per_s), "--seconds", str(seconds)),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _found(process: "subprocess.Popen[str]", within_s: float) -> dict[str, Any]:
    try:
        text, _ = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired as error:
        raise BenchError("the questions do not end") from error
    found: dict[str, Any] = json.loads(text or "{}")
    if not found or found["wrong"]:
        raise BenchError(f"answers in open loop: {found}")
    return found


def _freshness(city: City, paths: Path, per_s: float, part: Part) -> None:
    lots = tuple(city.lots)
    session = Session(city.target, lots, city.reports, drives_all=True, seed=1, warm_up_s=1.0)
    mix = Mix(observations_per_s=city.observations_per_s, bays_per_message=_BAYS, count_share=0.05)
    plan = session.plan(mix, _LONGEST_S, session.operators())
    gateway, lot = session.marked()
    marked = session.plan(mix, _LONGEST_S, [replace(gateway, lots=(lot.lot_id,))])
    changes = max(round(city.rounds * city.seconds * _CHANGES_A_SECOND), _LEAST_CHANGES)
    with engine("publisher", plan, city.reports / "freshness") as publisher:
        publisher.send()
        before, used = Counters.read(city.target.metrics), Usage.now(city.target.processes)
        with _asking(city.api, paths, per_s, _LONGEST_S) as asking:
            probe = Probe(marked)
            probe.run(changes, perf_counter() + max(changes * _LONGEST_CHANGE_S, _LEAST_S))
            asking.terminate()
            asked = _found(asking, _END_WITHIN_S)
        done = Counters.read(city.target.metrics).since(before)
        cores = Usage.now(city.target.processes).cores_since(used)
        publisher.send()
        publisher.finish(_END_WITHIN_S)
    samples = probe.recorder.samples()
    shown, acked = _late(samples, FRESH), _late(samples, ACK)
    if not shown:
        raise BenchError(f"no change was shown: {dict(probe.publisher.problems)}")
    p50, p95, p99 = percentiles(shown)
    around = f"{done.observations_per_s:,.0f} observations/s, {asked['per_s']:,.0f} questions/s"
    shares = ", ".join(f"{name} {share:.2f}" for name, share in cores.items())
    part.notes.append(f"meanwhile, cores: {shares}")
    part.notes.append(f"their acks: p50 {median(acked):.0f} ms, p99 {percentiles(acked)[2]:.0f}")
    note = f"p50 {p50:.0f}, p95 {p95:.0f}; {len(shown)} changes; {around}"
    part.figures += [
        figure(
            "fresh_p99", "freshness, p99", [p99], unit="ms", goal=Goal(40, is_most=True), note=note
        ),
        figure("nearest_p99_ingest", "/v1/nearest, p99, meanwhile", [asked["p99_ms"]], unit="ms"),
    ]
    part.notes += [
        f"{name}: {times} times" for name, times in probe.publisher.problems.items() if times
    ]


def _late(samples: Samples, of: str) -> list[float]:
    """Return the milliseconds of all samples of some kinds, whose names begin alike."""
    kinds = samples.by_kind.items()
    return [late for kind, (_, each) in kinds if kind.startswith(of) for late in each]
