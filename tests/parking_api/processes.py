"""The API as a process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil

from deploy.checks import wait_until
from deploy.ports import any_free
from tests.servers import api_environment

WITHIN_S = 30.0
SERVE = [sys.executable, "-m", "parking_api", "serve"]


def await_health(url: str, process: "subprocess.Popen[str]") -> None:
    """Return once the process answers at `url`; fail when it ends, or does not answer in time."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "it ended"
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("it does not answer")


class Api:
    """A running `python -m parking_api serve`."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def workers(self) -> set[int]:
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    def reload(self) -> None:
        """Have the workers replaced, and wait until the new ones are alone."""
        before = self.workers()
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.workers().isdisjoint(before), "the new workers", WITHIN_S)


@contextmanager
def serving(database_url: str, **settings: str) -> Iterator[Api]:
    port = any_free()
    # Half a request waits here for workers to be replaced, on a machine that may be busy.
    given = {"API_PORT": str(port), "API_HEAD_TIMEOUT_S": "60"}
    given |= api_environment(database_url) | {"API_WORKERS": "1"} | settings
    environment = {**os.environ, **given}
    with subprocess.Popen(SERVE, env=environment, stderr=subprocess.DEVNULL, text=True) as process:
        api = Api(process, port)
        try:
            await_health(api.url, process)
            yield api
        finally:
            family = psutil.Process(process.pid).children() if process.poll() is None else []
            process.terminate()
            process.wait(10)
            assert not psutil.wait_procs(family, 5)[1]
