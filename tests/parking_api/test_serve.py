"""`python -m parking_api serve`, as a process."""

import os
import subprocess
import sys
import time

import httpx

from deploy.ports import any_free

SERVE = [sys.executable, "-m", "parking_api", "serve"]


def await_health(url: str, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "it ended"
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("it does not answer")


def test_it_answers_until_it_is_told_to_stop(database_url: str) -> None:
    port = any_free()
    environment = {**os.environ, "DATABASE_URL": database_url, "API_PORT": str(port)}
    with subprocess.Popen(SERVE, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            await_health(url, process)
            bad = httpx.get(f"{url}/v1/nearest?lon=%00&lat=1")
            process.terminate()
            _, log = process.communicate(timeout=5)
        finally:
            process.kill()

    assert bad.status_code == 422
    assert process.returncode == 0
    assert "Traceback" not in log


def test_wrong_settings_are_told() -> None:
    environment = {**os.environ, "DATABASE_URL": "postgresql://", "API_POOL_SIZE": "0"}
    done = subprocess.run(SERVE, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "pool_size" in done.stderr
