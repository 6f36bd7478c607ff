"""The supervisor: its configuration, and the order in which it stops programs."""

import configparser
import json
import os
import shlex
import signal
import sys
from dataclasses import asdict, fields
from pathlib import Path

import psutil
import pytest

from deploy.checks import wait_until
from deploy.configuration import Program, configuration
from deploy.directory import Directory, InUseError
from deploy.services import Service
from deploy.supervision import ENDED, Supervisor, end_leftover

# Says when it is told to stop, then ends.
MORTAL = """
import signal, sys
signal.signal(signal.SIG{signal}, lambda *_: (print("{name}", file=open({log!r}, "a")), sys.exit()))
while True:
    signal.pause()
"""


@pytest.fixture
def var(tmp_path: Path) -> Directory:
    made = Directory(tmp_path / "var 100%")
    made.make()
    return made


def mortal(name: str, log: Path, number: str = "TERM") -> Program:
    script = log.with_name(f"{name}.py")
    script.write_text(MORTAL.format(name=name, log=str(log), signal=number))
    command = (sys.executable, str(script))
    return Program(Service(name, command, stop_signal=number), command)


def running(var: Directory, programs: list[Program]) -> Supervisor:
    supervisor = Supervisor.start(programs, var, var.path)
    for program in programs:
        supervisor.launch(program.service.name)
    wait_until(lambda: len(supervisor.processes()) == len(programs), "programs", 10.0)
    return supervisor


def test_programs_stop_in_the_reverse_order_each_by_its_signal(var: Directory) -> None:
    log = var.path / "order"
    names = ["first", "second", "third"]
    signals = ["INT", "TERM", "INT"]
    programs = [mortal(name, log, number) for name, number in zip(names, signals, strict=True)]
    supervisor = running(var, programs)
    pids = supervisor.processes()
    await_handlers(pids)
    supervisor.stop()
    assert log.read_text().split() == names[::-1]
    assert not [pid for pid in pids.values() if psutil.pid_exists(pid)]
    assert not supervisor.is_alive()
    assert not var.supervisor_pid.exists()


def await_handlers(pids: dict[str, int]) -> None:
    """Wait until each program catches signals: bit n-1 of SigCgt stands for signal n."""

    def caught(pid: int) -> bool:
        status = Path(f"/proc/{pid}/status").read_text()
        mask = int(status.partition("SigCgt:")[2].split()[0], 16)
        usual = 1 << (signal.SIGINT - 1)
        return bool(mask & (1 << (signal.SIGTERM - 1))) or bool(mask & usual)

    wait_until(lambda: all(map(caught, pids.values())), "handlers", 10.0)


def test_a_program_that_ends_is_started_by_nobody_but_its_keeper(var: Directory) -> None:
    command = (sys.executable, "-c", "import sys; sys.exit(3)")
    supervisor = Supervisor.start([Program(Service("brief", command), command)], var, var.path)
    supervisor.launch("brief")
    try:
        wait_until(lambda: supervisor.conditions()["brief"].state in ENDED, "end", 10.0)
        assert supervisor.conditions()["brief"].description == "status 3"
    finally:
        supervisor.stop()


def test_what_a_killed_demo_leaves_is_ended(var: Directory) -> None:
    supervisor = running(var, [mortal("only", var.path / "order")])
    pids = supervisor.processes()
    assert end_leftover(var)
    assert not [pid for pid in pids.values() if psutil.pid_exists(pid)]
    supervisor.stop()
    assert not end_leftover(var)


def test_a_pid_file_that_names_a_stranger_is_left_alone(var: Directory) -> None:
    var.supervisor_pid.write_text(f"{os.getpid()}\n")
    assert not end_leftover(var)


def test_configuration_carries_commands_and_environment_unharmed(var: Directory) -> None:
    command = ("python", "-c", "print('a b', 100 % 7)")
    service = Service("one", command, environment={"URL": "mqtt://u:p%40@h:1"}, stop_signal="INT")
    text = configuration([Program(service, command)], var, var.path, 9001, "word")
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    section = parser["program:one"]
    assert tuple(shlex.split(section["command"].replace("%%", "%"))) == command
    assert section["environment"] == 'URL="mqtt://u:p%%40@h:1"'
    assert section["autostart"] == "false"
    assert section["stopsignal"] == "INT"
    assert parser["inet_http_server"]["port"] == "127.0.0.1:9001"


def test_configuration_is_readable_by_its_owner_only(var: Directory) -> None:
    supervisor = running(var, [])
    try:
        assert var.supervisor_configuration.stat().st_mode & 0o777 == 0o600
    finally:
        supervisor.stop()
    assert not var.supervisor_configuration.exists()


def test_one_directory_serves_one_demo(var: Directory) -> None:
    with var.locked(), pytest.raises(InUseError), var.locked():
        pass
    with var.locked():
        assert var.path.exists()


def test_secrets_are_made_once_and_kept(var: Directory) -> None:
    made = var.secrets()
    assert var.secrets() == made
    assert (var.path / "platform.json").stat().st_mode & 0o777 == 0o600
    assert len(set(asdict(made).values())) == len(fields(made))


def test_secrets_that_an_older_version_lacked_are_added(var: Directory) -> None:
    made = var.secrets()
    kept = asdict(made)
    del kept["database_app"], kept["token"]
    (var.path / "platform.json").write_text(json.dumps(kept))

    again = var.secrets()

    assert asdict(again) == kept | {"database_app": again.database_app, "token": again.token}
    assert again.database_app != made.database_app
    assert var.secrets() == again
