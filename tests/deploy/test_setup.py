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
    web = copy_of_pages(tmp_path)
    for name in ("deploy/setup.sh", "requirements-dev.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    python = tmp_path / ".venv/bin/python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    lock = tmp_path / "requirements-dev.txt"
    checksum = subprocess.run(["sha256sum"], stdin=lock.open(), capture_output=True, check=True)
    (tmp_path / ".venv/onelot-lock.sha256").write_bytes(checksum.stdout)
    assert build_pages(tmp_path) == ["npm ci --loglevel=error", "node build.mjs"]
    assert (web / "node_modules").is_dir()
    done = subprocess.run(
        ["bash", "deploy/setup.sh"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def copy_of_pages(root: Path) -> Path:
    """Write the pages' sources, and a node and an npm that only say what they were asked for."""
    web = root / "parking_api/web"
    for directory in ("deploy", ".venv/bin", "parking_api/web/src"):
        (root / directory).mkdir(parents=True)
    names = ("package.json", "package-lock.json", ".npmrc", "build.mjs", "src/tokens.css")
    for name in ("deploy/pages.sh", *(f"parking_api/web/{name}" for name in names)):
        (root / name).write_bytes((ROOT / name).read_bytes())
    for name, made in (("npm", "node_modules"), ("node", "dist")):
        fake = root / ".venv/bin" / name
        fake.write_text(f'#!/bin/sh\necho "{name} $*" >>{root}/asked\nmkdir -p {made}\n')
        fake.chmod(0o755)
    return web


def build_pages(root: Path) -> list[str]:
    """Build the pages; what npm and node were asked for."""
    (root / "asked").unlink(missing_ok=True)
    command = ["bash", "deploy/pages.sh"]
    subprocess.run(command, cwd=root, capture_output=True, check=True)
    asked = root / "asked"
    return asked.read_text().splitlines() if asked.exists() else []


def test_pages_are_built_anew_for_what_has_changed_alone(tmp_path: Path) -> None:
    web = copy_of_pages(tmp_path)
    assert build_pages(tmp_path) == ["npm ci --loglevel=error", "node build.mjs"]
    assert build_pages(tmp_path) == []
    (web / "src/new.ts").write_text("export {};")
    assert build_pages(tmp_path) == ["node build.mjs"]
    # What is made of the API's description is bundled nowhere.
    (web / "src/generated").mkdir()
    (web / "src/generated/api.d.ts").touch()
    assert build_pages(tmp_path) == []
    (web / "package-lock.json").write_text("{}")
    assert build_pages(tmp_path) == ["npm ci --loglevel=error", "node build.mjs"]


@pytest.mark.parametrize("candidate", ["(none)", "2:1snap1-0ubuntu2"])
def test_where_chromium_is_a_snap_set_up_says_what_to_do(tmp_path: Path, candidate: str) -> None:
    for name, does in {
        "apt-get": f'echo "$*" >>{tmp_path}/asked',
        "apt-cache": f'printf "%s:\\n  Installed: (none)\\n  Candidate: {candidate}\\n" "$2"',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["bash", ROOT / "deploy/setup.sh", "--packages", "chromium", "fonts-noto-cjk"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "snap install chromium" in done.stderr
    # Nothing is installed in part.
    assert (tmp_path / "asked").read_text() == "update -qq\n"


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
