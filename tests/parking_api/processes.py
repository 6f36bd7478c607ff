"""The API as a process."""

import subprocess
import sys
import time

import httpx

SERVE = [sys.executable, "-m", "parking_api", "serve"]


def await_health(url: str, process: "subprocess.Popen[str]") -> None:
    """Return once the process answers at `url`; fail when it ends, or does not answer in time."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "it ended"
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("it does not answer")
