"""The broker's store: cut or garbled, it is put aside and the broker starts without it."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from deploy import broker as mosquitto
from deploy.accounts import program, server_account
from deploy.checks import wait_until
from deploy.ports import any_free
from tests.servers import Broker

WAIT_S = 60.0


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store with a retained message, as a broker writes it when it ends."""
    made = Broker(tmp_path_factory.mktemp("store") / "broker", any_free())
    made.start()
    retain(made, "onelot/v1/state/a", "kept")
    made.stop()
    return (made.directory / mosquitto.STORE).read_bytes()


def retain(broker: Broker, topic: str, payload: str) -> None:
    login = ["-h", broker.host, "-p", str(broker.port), "-u", "platform-ingest", "-q", "1"]
    login += ["-P", broker.password("platform-ingest")]
    command = ["mosquitto_pub", *login, "-r", "-t", topic, "-m", payload]
    subprocess.run(command, check=True)


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda store: store[:0],
    "one byte": lambda store: store[:1],
    "cut in its head": lambda store: store[:20],
    "cut in the middle": lambda store: store[: len(store) * 2 // 3],
    "cut at its end": lambda store: store[:-1],
    "garbled": lambda store: bytes(byte ^ 0x5A for byte in store),
    "of another version": lambda store: store[:19] + b"\x63" + store[20:],
    "text": lambda store: b"not a store at all\n" * len(store),
}


@pytest.mark.parametrize("kind", [*BROKEN, "not to be opened"])
def test_a_store_that_cannot_be_read_is_put_aside(broker: Broker, store: bytes, kind: str) -> None:
    broker.stop()
    file = broker.directory / mosquitto.STORE
    content = BROKEN[kind](store) if kind in BROKEN else store
    file.unlink(missing_ok=True)
    file.write_bytes(content)
    account = server_account(mosquitto.SYSTEM_USER)
    account.own(file)
    if kind == "not to be opened":
        file.chmod(0)
    broker.start()
    aside = mosquitto.put_aside(broker.directory)
    for one in aside:
        one.chmod(0o600)
    assert [one.read_bytes() for one in aside] == [content]
    log = broker.directory.with_name("broker.log").read_text()
    assert f"store cannot be read: put aside as {aside[0].name}" in log
    retain(broker, "onelot/v1/state/b", "works")
    broker.stop()
    assert file.stat().st_size > 0


def test_a_store_that_can_be_read_is_used_and_nothing_is_left_beside_it(
    broker: Broker, store: bytes
) -> None:
    broker.stop()
    (broker.directory / mosquitto.STORE).write_bytes(store)
    broker.start()
    login = ["-h", broker.host, "-p", str(broker.port), "-u", "platform-api", "-q", "1"]
    login += ["-P", broker.password("platform-api"), "-t", "onelot/v1/state/a", "-C", "1"]
    done = subprocess.run(
        ["mosquitto_sub", *login, "-W", "10"], capture_output=True, text=True, check=False
    )
    assert done.stdout == "kept\n"
    assert mosquitto.put_aside(broker.directory) == []
    assert not list(broker.directory.glob("trial*"))


def test_a_store_is_not_blamed_for_a_mosquitto_that_cannot_start_at_all(
    tmp_path: Path, store: bytes
) -> None:
    (tmp_path / mosquitto.STORE).write_bytes(store)
    script = Path(mosquitto.__file__).with_name(mosquitto.SCRIPT)
    done = subprocess.run(["sh", script, "false"], cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert (tmp_path / mosquitto.STORE).read_bytes() == store


def test_a_store_on_which_mosquitto_crashes_is_put_aside(tmp_path: Path, store: bytes) -> None:
    """Some garbled stores crash some versions."""
    fragile = tmp_path / "fragile"
    fragile.write_text(
        '#!/bin/sh\nif grep -qs "persistence true" "$2"; then kill -SEGV $$; fi\n'
        f"""if grep -qs listener "$2"; then exec '{program("mosquitto")}' "$@"; fi\n"""
    )
    fragile.chmod(0o755)
    script = Path(mosquitto.__file__).with_name(mosquitto.SCRIPT)
    work = tmp_path / "work"
    work.mkdir(mode=0o777)
    work.chmod(0o777)
    (work / mosquitto.STORE).write_bytes(store)
    # The trial without a store is the real one; the broker itself ends at once.
    done = subprocess.run(["sh", script, fragile], cwd=work, check=False)
    assert done.returncode == 0
    assert [one.read_bytes() for one in mosquitto.put_aside(work)] == [store]


def test_the_newest_three_stores_are_kept(broker: Broker) -> None:
    broker.stop()
    for day in range(1, 6):
        (broker.directory / f"{mosquitto.STORE}.unreadable-2026110{day}T000000Z").write_bytes(b"x")
    (broker.directory / mosquitto.STORE).write_bytes(b"broken")
    broker.start()
    aside = mosquitto.put_aside(broker.directory)
    assert [one.name[-16:-8] for one in aside[:2]] == ["20261104", "20261105"]
    assert aside[2].read_bytes() == b"broken"
    assert len(aside) == 3


def test_a_stop_in_the_middle_of_the_trial_leaves_no_broker(tmp_path: Path) -> None:
    """The trial hangs: its mosquitto neither ends nor listens."""
    hanging = tmp_path / "hanging"
    hanging.write_text(f"#!{sys.executable}\nimport signal\nwhile True:\n    signal.pause()\n")
    hanging.chmod(0o755)
    (tmp_path / mosquitto.STORE).write_bytes(b"something")
    script = Path(mosquitto.__file__).with_name(mosquitto.SCRIPT)
    process = subprocess.Popen(["sh", script, hanging], cwd=tmp_path)
    wait_until(lambda: bool(psutil.Process(process.pid).children()), "the trial", WAIT_S)
    wait_until((tmp_path / "trial.conf").exists, "the trial", WAIT_S)
    children = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGTERM)
    assert process.wait(WAIT_S) == 1
    _, left = psutil.wait_procs(children, timeout=WAIT_S)
    assert left == []
