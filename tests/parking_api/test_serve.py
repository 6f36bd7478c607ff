"""`python -m parking_api serve`, as a process."""

import os
import socket
import subprocess
import time

import httpx

from deploy.ports import any_free
from tests.parking_api.processes import SERVE, await_health, serving
from tests.servers import Broker, api_environment


def test_it_answers_until_it_is_told_to_stop(database_url: str) -> None:
    port = any_free()
    environment = {**os.environ, **api_environment(database_url), "API_PORT": str(port)}
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


def test_it_answers_again_at_once_after_a_restart(database_url: str) -> None:
    """Whoever asks while it starts waits for the answer: the port is open before the rest."""
    port = any_free()
    environment = {**os.environ, **api_environment(database_url), "API_PORT": str(port)}
    url = f"http://127.0.0.1:{port}"
    for _ in range(2):
        with subprocess.Popen(SERVE, env=environment, stderr=subprocess.PIPE, text=True) as process:
            try:
                await_port(port, process)
                assert httpx.get(f"{url}/healthz", timeout=30).status_code == 200
                process.terminate()
                _, log = process.communicate(timeout=10)
            finally:
                process.kill()
        assert process.returncode == 0, log


def await_port(port: int, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "it ended"
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("it does not listen")


def test_it_starts_without_database_and_broker(broker: Broker) -> None:
    """It answers 503 until there is a city; the database's return is `test_errors`' part."""
    port = any_free()
    away = any_free()
    broker.stop()
    environment = {**os.environ, "API_PORT": str(port), "API_MQTT_URL": broker.platform_api}
    environment["DATABASE_URL"] = f"postgresql://nobody@127.0.0.1:{away}/nowhere"
    with subprocess.Popen(SERVE, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            await_port(port, process)
            url = f"http://127.0.0.1:{port}"
            asked = httpx.get(f"{url}/v1/nearest?lon=1&lat=1", timeout=30)
            ready = httpx.get(f"{url}/readyz")
            process.terminate()
            process.communicate(timeout=10)
        finally:
            process.kill()
    assert asked.status_code == 503
    assert asked.headers["retry-after"] == "1"
    assert set(ready.json()["missing"]) == {"database", "broker", "city"}
    assert process.returncode == 0


def test_metrics_at_a_port_of_their_own(database_url: str) -> None:
    port = any_free()
    with serving(database_url, API_METRICS_PORT=str(port)) as api:
        apart = f"http://127.0.0.1:{port}"
        found = httpx.get(f"{apart}/metrics")
        assert found.status_code == 200
        assert "onelot_api_requests_total" in found.text
        assert httpx.get(f"{api.url}/healthz").status_code == 200
        others = [f"{api.url}/metrics", f"{apart}/healthz", f"{apart}/v1/city", f"{apart}/"]
        others += [f"{apart}/v1/nearest?lon=120.3&lat=36.0"]
        assert {httpx.get(url).status_code for url in others} == {404}


def test_wrong_settings_are_told() -> None:
    environment = {**os.environ, "DATABASE_URL": "postgresql://", "API_POOL_SIZE": "0"}
    done = subprocess.run(SERVE, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "pool_size" in done.stderr
