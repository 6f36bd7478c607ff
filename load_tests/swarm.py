"""One Locust process: `python -m load_tests.swarm PLAN DIRECTORY`.

It is a process of its own because gevent changes the standard library for everyone in it. Into the
directory it writes `report.html` (Locust's), `samples.npz` and `outcome.json`.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import gevent
import gevent.select
from locust import User
from locust.env import Environment
from locust.html import get_html_report
from locust.stats import stats_history

from load_tests.drivers import Driver, drivers_for
from load_tests.kinds import READY
from load_tests.operations import Operations
from load_tests.operators import Operator
from load_tests.plan import Plan
from load_tests.samples import Recorder
from load_tests.world import World

_READY_WITHIN_S: Final = 150.0
_SPAWN_WITHIN_S: Final = 2.0
_STOP_WITHIN_S: Final = 15.0


def user_classes(world: World) -> list[type[User]]:
    """Choose the users that a plan asks for, and how many of each."""
    plan = world.plan
    Driver.world = Operations.world = Operator.world = world
    Operator.gateways, Operator.running = list(plan.gateways), []
    Driver.fixed_count = drivers_for(plan.mix.nearest_per_s) if plan.mix.nearest_per_s else 0
    Operations.fixed_count = 1 if plan.mix.city_every_s else 0
    Operator.fixed_count = len(plan.gateways) if plan.mix.observations_per_s else 0
    every: Sequence[type[User]] = (Driver, Operations, Operator)
    return [one for one in every if one.fixed_count]


def run(plan: Plan, directory: Path) -> None:
    """Make the load of a plan; a line at standard input ends it early.

    Raises:
        TimeoutError: Not every operator's lots were acked in time, so that nothing was measured.
    """
    world, recorder = World(plan), Recorder()
    environment = Environment(user_classes=user_classes(world), host=plan.http)
    environment.events.request.add_listener(_listener(recorder))  # type: ignore[no-untyped-call]
    runner = environment.create_local_runner()
    users = sum(one.fixed_count for one in environment.user_classes)
    runner.start(users, spawn_rate=users / _SPAWN_WITHIN_S)
    _await_operators(world)
    environment.stats.reset_all()
    gevent.spawn(stats_history, runner)
    world.ready.set()
    gevent.sleep(plan.warm_up_s)
    environment.stats.reset_all()
    started_s = time.time()
    print("measuring", flush=True)  # noqa: T201 - the word that the starter waits for
    gevent.select.select([sys.stdin], [], [], plan.duration_s)
    ended_s = time.time()
    world.stopping.set()
    gevent.joinall([gevent.spawn(one.last_acks) for one in Operator.running], _STOP_WITHIN_S)
    report = get_html_report(environment, show_download_link=False)  # type: ignore[no-untyped-call]
    runner.quit()
    (directory / "report.html").write_text(report, encoding="utf-8")
    recorder.samples().save(directory / "samples.npz")
    outcome = _outcome(environment, world, started_s, ended_s)
    (directory / "outcome.json").write_text(json.dumps(outcome, indent=1), encoding="utf-8")


def _listener(recorder: Recorder) -> Any:
    def keep(request_type: str, name: str, response_time: float, **_: Any) -> None:
        recorder.add(f"{request_type} {name}", time.time(), response_time)

    return keep


def _await_operators(world: World) -> None:
    wanted = Operator.fixed_count
    deadline = time.monotonic() + _READY_WITHIN_S
    while world.counted[READY] < wanted:
        if time.monotonic() > deadline:
            ready = world.counted[READY]
            raise TimeoutError(f"only {ready} of {wanted} operators' lots have been acked")
        gevent.sleep(0.05)


def _outcome(
    environment: Environment, world: World, started_s: float, ended_s: float
) -> dict[str, Any]:
    failures = [
        {
            "name": f"{error.method} {error.name}",
            "problem": str(error.error),
            "times": error.occurrences,
        }
        for error in environment.stats.errors.values()
    ]
    exceptions = [
        {"name": "exception in the load", "problem": str(one["msg"]), "times": one["count"]}
        for one in (environment.runner.exceptions if environment.runner else {}).values()
    ]
    return {
        "started_s": started_s,
        "ended_s": ended_s,
        "requests": environment.stats.total.num_requests,
        "failures": failures + exceptions,
        "counted": dict(world.counted),
    }


if __name__ == "__main__":
    run(Plan.read(Path(sys.argv[1])), Path(sys.argv[2]))
