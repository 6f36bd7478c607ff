"""`eval "$(python -m deploy env)"`: a shell learns where the running demo is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.directory import Directory

RUN = {
    "http": "http://127.0.0.1:8003",
    "mqtt": {"host": "127.0.0.1", "port": 1885},
    "database_url": "postgresql://onelot_app:a'b$(touch hit);\"x@127.0.0.1:5434/onelot",
    "ingest_metrics": "http://127.0.0.1:9102/metrics",
    "processes": {},
}
SHOW = 'printf "%s\\n" "$ONELOT_HTTP" "$ONELOT_MQTT_HOST" "$ONELOT_MQTT_PORT" '
SHOW += '"$ONELOT_INGEST_METRICS" "$DATABASE_URL"; env | grep -c ^ONELOT_'
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def var(tmp_path: Path) -> Directory:
    made = Directory(tmp_path / "var of mine")
    made.make()
    return made


def evaluate(var: Directory, then: str) -> subprocess.CompletedProcess[str]:
    asked = f"""set -e; eval "$('{sys.executable}' -m deploy env --var '{var.path}')"; {then}"""
    environment = {key: value for key, value in os.environ.items() if "ONELOT" not in key}
    return subprocess.run(
        ["bash", "-c", asked],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_shell_gets_every_value_unharmed(var: Directory) -> None:
    var.run_file.write_text(json.dumps(RUN))
    with var.locked():
        done = evaluate(var, SHOW)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "http://127.0.0.1:8003",
        "127.0.0.1",
        "1885",
        "http://127.0.0.1:9102/metrics",
        RUN["database_url"],
        "4",
    ]


@pytest.mark.parametrize("there", ["nothing", "no directory", "a killed demo's file"])
def test_without_a_demo_it_says_so_and_the_shell_fails(var: Directory, there: str) -> None:
    if there == "a killed demo's file":
        var.run_file.write_text(json.dumps(RUN))
    if there == "no directory":
        var.logs.rmdir()
        var.path.rmdir()
    done = evaluate(var, "echo on")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "no demo serves from" in done.stderr
