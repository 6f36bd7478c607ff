"""However a load ends, the simulator that it had paused goes on, and nothing of the load stays."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from load_tests import rig
from load_tests.stages import END_WITHIN_S
from load_tests.target import Target
from tests.polling import until

ROOT = Path(__file__).resolve().parents[2]
# The publisher puts back what it has changed first, and is killed where that takes too long.
ENDS_WITHIN_S = END_WITHIN_S + 30.0


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with rig.own_city(20) as directory:
        yield Target.of(directory)


def is_paused(target: Target) -> bool:
    return psutil.Process(target.processes["simulator"]).status() == psutil.STATUS_STOPPED


@contextmanager
def loaded(target: Target, reports: Path) -> Iterator[psutil.Popen]:
    """A load test whose operators and drivers are at work."""
    command = [sys.executable, "-m", "load_tests", "--only", "drivers", "--only", "operators"]
    command += ["--run-file", str(target.directory / "run.json"), "--duration", "300"]
    command += ["--credentials", str(target.directory / "credentials.json")]
    command += ["--report-dir", str(reports)]
    # A terminal gives each command a process group of its own, and Ctrl-C goes to all of it.
    load = psutil.Popen(
        command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        yield load
    finally:
        if load.poll() is None:
            load.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda each: each.name)
async def test_the_simulator_goes_on(
    target: Target, number: signal.Signals, tmp_path: Path
) -> None:
    with loaded(target, tmp_path) as load:
        await until(lambda: is_paused(target), timeout_s=ENDS_WITHIN_S)
        # The publisher, the swarm, and what lets the simulator go on.
        await until(lambda: len(load.children()) >= 3, timeout_s=ENDS_WITHIN_S)
        started = load.children(recursive=True)
        if number == signal.SIGINT:
            os.killpg(load.pid, number)
            assert load.wait(ENDS_WITHIN_S) == 130
        else:
            load.kill()
        await until(lambda: not is_paused(target), timeout_s=ENDS_WITHIN_S)
        await until(lambda: not any(one.is_running() for one in started), timeout_s=ENDS_WITHIN_S)
