"""How long the API is away when it is restarted: `python -m load_tests.restarts [--times 5]`.

Starts a city of its own. Prints for each restart (SIGTERM; the run's keeper starts it again) the
seconds until `/healthz` answers 200 again, and for each replacement of its workers (SIGHUP) how
many requests failed meanwhile, and the time of the slowest. Exit status 1 when a restart took
longer than 2 s, or a request failed: on a machine that does nothing else.
"""

import http.client
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from load_tests.rig import say, scenario
from load_tests.target import Target

LONGEST_S: Final = 2.0
# As the keeper has it.
_WELL_AFTER_S: Final = 30.0
_PAUSE_S: Final = 0.01
_PATIENCE_S: Final = 60.0


def main(argv: list[str] | None = None) -> int:
    """Measure; 1 if it was away for too long."""
    return scenario("load_tests.restarts", __doc__, _measured, 5, argv)


def _measured(directory: Path, times: int) -> int:
    is_well = True
    for _ in range(times):
        # The keeper waits before it starts a program again that ends soon after its start.
        _wait_until(lambda: _age_s(Target.of(directory)) > _WELL_AFTER_S)
        target = Target.of(directory)
        failed, slowest_s = _replaced(target)
        say(f"replaced: {failed} requests failed, the slowest took {1000 * slowest_s:.0f} ms")
        away_s = _restarted(target)
        say(f"restarted: answers after {away_s:.2f} s")
        is_well = is_well and failed == 0 and away_s <= LONGEST_S
    return 0 if is_well else 1


def _age_s(target: Target) -> float:
    try:
        return time.time() - psutil.Process(target.processes["api"]).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def _restarted(target: Target) -> float:
    began = time.monotonic()
    os.kill(target.processes["api"], signal.SIGTERM)
    _wait_until(lambda: not _answers(target))
    _wait_until(lambda: _answers(target))
    return time.monotonic() - began


def _replaced(target: Target) -> tuple[int, float]:
    """Replace the workers; how many requests failed until the old ones were gone, the slowest."""
    parent = psutil.Process(target.processes["api"])
    before = set(parent.children())
    failed, slowest_s = 0, 0.0
    parent.send_signal(signal.SIGHUP)
    while before & set(parent.children()):
        began = time.monotonic()
        failed += not _answers(target)
        slowest_s = max(slowest_s, time.monotonic() - began)
    return failed, slowest_s


def _answers(target: Target) -> bool:
    at = urlsplit(target.http)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(_PAUSE_S)


if __name__ == "__main__":
    sys.exit(main())
