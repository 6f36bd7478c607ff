"""The shell scripts, as far as they can be tried without installing anything."""

import fcntl
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted([*ROOT.glob("deploy/*.sh"), ROOT / ".ci" / "run"])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script_is_sound(script: Path) -> None:
    text = script.read_text()
    interpreter = "sh" if text.startswith("#!/bin/sh") else "bash"
    done = subprocess.run([interpreter, "-n", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in text or (interpreter == "sh" and "set -eu" in text)


def test_setup_is_quick_and_silent_when_nothing_is_missing(tmp_path: Path) -> None:
    """With the lock's stamp in place it changes nothing, and asks neither apt nor sudo."""
    (tmp_path / "deploy").mkdir()
    for name in ("deploy/setup.sh", "requirements-dev.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / ".venv/bin").mkdir(parents=True)
    python = tmp_path / ".venv/bin/python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    lock = tmp_path / "requirements-dev.txt"
    checksum = subprocess.run(["sha256sum"], stdin=lock.open(), capture_output=True, check=True)
    (tmp_path / ".venv/onelot-lock.sha256").write_bytes(checksum.stdout)
    done = subprocess.run(
        ["bash", "deploy/setup.sh"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def clean(var: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(ROOT / "deploy/clean.sh"), str(var)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_clean_removes_everything(tmp_path: Path) -> None:
    var = tmp_path / "var"
    (var / "postgres").mkdir(parents=True)
    (var / "lock").touch()
    assert clean(var).returncode == 0
    assert not var.exists()
    assert clean(var).returncode == 0


def test_clean_refuses_while_a_demo_runs(tmp_path: Path) -> None:
    var = tmp_path / "var"
    var.mkdir()
    with (var / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = clean(var)
    assert done.returncode == 1
    assert "stop it first" in done.stderr
    assert var.exists()
