"""supervisord: its configuration from the services, its process, and the talk with it.

Nothing starts by itself: the demo starts each program when what it needs is healthy. The priorities
give the order of stopping, last started first, which supervisord keeps by itself when it is told to
end, and also when the demo dies (it gets SIGTERM then).
"""

import os
import secrets
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import psutil

from deploy.directory import Directory, write_private
from deploy.ports import LOOPBACK, any_free
from deploy.services import Service

_ENDED: Final = frozenset({"BACKOFF", "FATAL", "EXITED", "STOPPED", "UNKNOWN"})
# Below the ten seconds within which all must be gone.
STOP_WITHIN_S: Final = 9.0


class SupervisorError(Exception):
    """supervisord or a program under it does not run; the message says which."""


class PortTakenError(SupervisorError):
    """Another program took a service's port after it had been chosen."""


@dataclass(frozen=True)
class Program:
    """A service as the supervisor starts it: `argv` wrapped for its user and directory."""

    service: Service
    argv: tuple[str, ...]


def _quoted(text: str) -> str:
    """Escape a value for the configuration: a percent sign would start a substitution."""
    return text.replace("%", "%%")


def _environment(values: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_quoted(value)}"' for name, value in values.items())


def _section(program: Program, priority: int, log: Path, directory: Path) -> str:
    service = program.service
    lines = {
        "command": _quoted(shlex.join(program.argv)),
        "directory": _quoted(str(directory)),
        "environment": _environment(service.environment),
        "autostart": "false",
        "autorestart": "true",
        "priority": str(priority),
        "startsecs": "1",
        "startretries": "3",
        "stopsignal": service.stop_signal,
        "stopwaitsecs": str(service.stop_wait_s),
        "redirect_stderr": "true",
        # supervisor 4.3 substitutes twice in this one.
        "stdout_logfile": _quoted(_quoted(str(log))),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "2",
    }
    body = "\n".join(f"{name}={value}" for name, value in lines.items())
    return f"[program:{service.name}]\n{body}\n"


def configuration(
    programs: Iterable[Program], var: Directory, source: Path, port: int, password: str
) -> str:
    """Return supervisord's configuration.

    Args:
        programs: In the order in which they start.
        var: Where logs and the pid file go.
        source: The checkout, in which the Python programs run.
        port: Of supervisord's XML-RPC on loopback.
        password: Asked for there.
    """
    # Said on purpose: the servers that must not run as root change their user by themselves.
    as_root = "user=root\n" if os.geteuid() == 0 else ""
    general = f"""\
[supervisord]
{as_root}nodaemon=true
pidfile={_quoted(str(var.supervisor_pid))}
logfile={_quoted(str(var.log("supervisord")))}
logfile_maxbytes=1MB
logfile_backups=1
loglevel=info

[inet_http_server]
port={LOOPBACK}:{port}
username=onelot
password={password}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

"""
    sections = [
        _section(program, 10 * number, var.log(program.service.name), source)
        for number, program in enumerate(programs, start=1)
    ]
    return general + "\n".join(sections)


class Supervisor:
    """A running supervisord; every call is short."""

    def __init__(self, process: subprocess.Popen[bytes], var: Directory, url: str) -> None:
        self._process = process
        self._var = var
        self._rpc = xmlrpc.client.ServerProxy(url, allow_none=True)

    @classmethod
    def start(cls, programs: Iterable[Program], var: Directory, source: Path) -> "Supervisor":
        """Start supervisord, in a process group of its own: Ctrl-C must not reach it."""
        port, password = any_free(), secrets.token_urlsafe(24)
        text = configuration(programs, var, source, port, password)
        write_private(var.supervisor_configuration, text)
        command = ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "supervisor.supervisord"]
        with var.log("supervisord").open("ab") as output:
            process = subprocess.Popen(
                [*command, "-c", str(var.supervisor_configuration)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                cwd=source,
                process_group=0,
            )
        return cls(process, var, f"http://onelot:{password}@{LOOPBACK}:{port}/RPC2")

    def await_answer(self) -> None:
        """Wait until supervisord answers.

        Raises:
            SupervisorError: It does not within ten seconds.
        """
        deadline = time.monotonic() + 10.0
        while True:
            try:
                self._rpc.supervisor.getState()
            except OSError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise SupervisorError("supervisord does not start") from error
                time.sleep(0.05)
            else:
                return

    def launch(self, name: str) -> None:
        """Start a program, without waiting until it is well.

        Raises:
            SupervisorError: It cannot be started.
        """
        try:
            self._rpc.supervisor.startProcess(name, False)  # noqa: FBT003 - XML-RPC has no keywords
        except xmlrpc.client.Fault as error:
            raise SupervisorError(f"{name}: {error.faultString}") from error

    def check(self, name: str) -> None:
        """Make sure that a program that was launched has not ended.

        Raises:
            SupervisorError: It has, at least once: it will not become well.
        """
        answer = cast("Mapping[str, object]", self._rpc.supervisor.getProcessInfo(name))
        if answer["statename"] in _ENDED:
            raise SupervisorError(
                f"{name} has ended: {answer['spawnerr'] or answer['description']}"
            )

    def processes(self) -> dict[str, int]:
        """Return the process id of each program that runs."""
        answer = cast("list[dict[str, object]]", self._rpc.supervisor.getAllProcessInfo())
        return {str(row["name"]): cast("int", row["pid"]) for row in answer if row["pid"]}

    def is_alive(self) -> bool:
        """Tell whether supervisord itself runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Stop every program, the last started first, then supervisord; kill what is left."""
        family = _family(self._process.pid)
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _kill(family)
        self._var.supervisor_pid.unlink(missing_ok=True)
        self._var.supervisor_configuration.unlink(missing_ok=True)


def _family(pid: int) -> list[psutil.Process]:
    """Return a process's descendants; psutil tells them from later ones of the same number."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(processes: Iterable[psutil.Process]) -> None:
    left = [process for process in processes if process.is_running()]
    for process in left:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(left, timeout=0.5)


def end_leftover(var: Directory, timeout_s: float = 15.0) -> bool:
    """End the supervisor that a killed demo left behind; it is usually ending already.

    Returns:
        Whether there was one.

    Raises:
        SupervisorError: It does not end.
    """
    try:
        process = psutil.Process(int(var.supervisor_pid.read_text()))
        if str(var.supervisor_configuration) not in process.cmdline():
            return False
        process.terminate()
        process.wait(timeout_s)
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return False
    except psutil.TimeoutExpired as error:
        raise SupervisorError(f"process {process.pid} of an earlier demo does not end") from error
    return True
