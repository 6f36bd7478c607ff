"""Drivers and operations as one Locust process: `python -m load_tests.swarm PLAN DIRECTORY`.

It is a process of its own because gevent changes the standard library for everyone in it. Into the
directory it writes `report.html` (Locust's), `samples.npz` and `outcome.json`.
"""

import sys
import time
from pathlib import Path
from typing import Any, Final

import gevent
import gevent.select
from locust import User
from locust.env import Environment
from locust.html import get_html_report
from locust.stats import stats_history

from load_tests.drivers import Driver
from load_tests.kinds import HELD_PER_S
from load_tests.operations import Operations
from load_tests.plan import Plan
from load_tests.samples import Recorder, write_outcome
from load_tests.shapes import Curve, Ramp
from load_tests.world import World

# A user who goes gets the answer that it waits for: else the slowest would be left out.
_LAST_ANSWER_WITHIN_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.5


def user_classes(world: World) -> list[type[User]]:
    """Choose the users that a plan asks for; of operations there is one."""
    plan = world.plan
    Driver.world = Operations.world = world
    Operations.fixed_count = 1
    asked = {Driver: plan.mix.nearest_per_s or plan.visits, Operations: plan.mix.city_every_s}
    return [one for one, is_asked in asked.items() if is_asked]


def run(plan: Plan, directory: Path) -> None:
    """Make the load of a plan; a line at standard input ends it early."""
    world, recorder = World(plan), Recorder()
    classes = user_classes(world)
    others = int(Operations in classes)
    ramp = Ramp(world, others) if plan.ramp_from_per_s else None
    shape = ramp or Curve(world, others)
    world.driver_per_s = shape.driver_per_s
    environment = Environment(
        user_classes=classes,
        host=plan.http,
        shape_class=shape,
        stop_timeout=_LAST_ANSWER_WITHIN_S,
    )

    def keep(
        request_type: str, name: str, response_time: float, exception: object, **_: Any
    ) -> None:
        recorder.add(f"{request_type} {name}", time.time(), response_time)
        if ramp:
            ramp.take(name, response_time, failed=exception is not None)

    environment.events.request.add_listener(keep)  # type: ignore[no-untyped-call]
    runner = environment.create_local_runner()
    if classes:
        runner.start_shape()
    gevent.spawn(stats_history, runner)
    gevent.sleep(plan.warm_up_s)
    environment.stats.reset_all()
    world.counted.clear()
    started_s = time.time()
    print("measuring", flush=True)  # noqa: T201 - the word that the starter waits for
    while (left_s := started_s + plan.duration_s - time.time()) > 0 and not shape.is_over:
        if gevent.select.select([sys.stdin], [], [], min(left_s, _LOOK_EVERY_S))[0]:
            break
    ended_s = time.time()
    report = get_html_report(environment, show_download_link=False)  # type: ignore[no-untyped-call]
    runner.quit()
    (directory / "report.html").write_text(report, encoding="utf-8")
    measured = (started_s, ended_s)
    failures, notes = _failures(environment), []
    if ramp:
        # A step with errors is one that was not held.
        failures, notes = [], ramp.steps
        world.counted[HELD_PER_S] = round(ramp.nearest_per_s)
        world.counted["errors in steps that were not held"] = ramp.errors
    write_outcome(directory, recorder.samples(), measured, failures, world.counted, notes=notes)


def _failures(environment: Environment) -> list[dict[str, Any]]:
    errors = [
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
    return errors + exceptions


if __name__ == "__main__":
    run(Plan.read(Path(sys.argv[1])), Path(sys.argv[2]))
