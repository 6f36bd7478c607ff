"""Who uses the machine: what we have started counts as ours, all else as others'."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from load_tests import machine
from load_tests.machine import Usage
from load_tests.target import TargetError


@contextmanager
def _child(program: str) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


def test_what_we_have_started_is_ours() -> None:
    before = Usage.now({})
    # It says that it has begun once it has used a good deal.
    used_s = 0.3
    work = f"import time\nwhile time.process_time() < {used_s}: pass\nprint(flush=True)\ninput()"
    with _child(work) as process:
        after = Usage.now({})
        assert after.used_s["load"] - before.used_s["load"] >= used_s - 0.05
        cores = after.cores_since(before)
        assert cores["load"] * (after.at_s - before.at_s) >= used_s - 0.05
        assert 0 <= cores["others"] <= (psutil.cpu_count() or 1)
        # Where it has a name it is no load.
        named = Usage.now({"worker": process.pid})
        assert named.used_s["worker"] >= used_s - 0.05
        process.communicate(b"\n")


def test_others_use_what_is_not_ours() -> None:
    before = Usage(100.0, {"load": 5.0, "others": 995.0})
    after = Usage(110.0, {"load": 8.0, "others": 1002.0, "started": 1.0})
    assert after.cores_since(before) == {"load": 0.3, "others": 0.7}


def test_where_the_city_may_not_be_first_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine, "Path", lambda _: tmp_path / "none" / "autogroup")
    with pytest.raises(TargetError, match="cannot be put first"):
        machine.put_first()
