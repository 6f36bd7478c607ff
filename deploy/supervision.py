"""supervisord: its process, and the talk with it.

supervisord starts nothing by itself: the keeper (deploy/keeper.py) starts each program, again and
again if need be. The priorities give the order of stopping, last started first, which supervisord
keeps by itself when it is stopped, and also when the demo dies (it gets SIGTERM then).
"""

import secrets
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import psutil

from deploy import children, leftovers, ports
from deploy.configuration import Program, configuration
from deploy.directory import Directory, write_private

_SCRIPT: Final = Path(__file__).with_name("supervisord.py")
# Another program may take supervisord's port between its choice and its use.
_TRIES: Final = 5
# Below the ten seconds within which all must be gone.
STOP_WITHIN_S: Final = 9.0
_START_WITHIN_S: Final = 10.0


class SupervisorError(Exception):
    """supervisord or a program under it does not run; the message says which."""


# supervisord's states of a program that runs, and of one that has ended by itself or could not be
# started (BACKOFF is a moment before FATAL). STOPPED was stopped, or has not been started yet.
RUNS: Final = ("STARTING", "RUNNING")
ENDED: Final = ("BACKOFF", "EXITED", "FATAL", "UNKNOWN")


@dataclass(frozen=True)
class Condition:
    """How a program is.

    Attributes:
        state: In supervisord's words.
        pid: Its process id, 0 when it has none.
        description: How it ended last, for people.
        is_orderly: Whether it ended with status 0.
    """

    state: str
    pid: int
    description: str
    is_orderly: bool


def _end(row: Mapping[str, object]) -> str:
    """Say how a program ended last; supervisord gives -1 for every signal."""
    if row["statename"] != "EXITED":
        return str(row["spawnerr"])
    return "by a signal" if row["exitstatus"] == -1 else f"status {row['exitstatus']}"


class Supervisor:
    """A running supervisord; every call is short, and one at a time."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        var: Directory,
        source: Path,
        login: tuple[int, str],
    ) -> None:
        self._process = process
        self._var = var
        self._source = source
        self._login = port, password = login
        url = f"http://onelot:{password}@{ports.LOOPBACK}:{port}/RPC2"
        self._rpc = xmlrpc.client.ServerProxy(url, allow_none=True)

    @classmethod
    def start(cls, programs: Iterable[Program], var: Directory, source: Path) -> "Supervisor":
        """Start supervisord and wait until it answers.

        Raises:
            SupervisorError: It does not.
        """
        programs = tuple(programs)
        for _ in range(_TRIES - 1):
            try:
                return cls._start_once(programs, var, source)
            except SupervisorError:
                continue
        return cls._start_once(programs, var, source)

    @classmethod
    def _start_once(cls, programs: Iterable[Program], var: Directory, source: Path) -> "Supervisor":
        """Start it in a process group of its own: Ctrl-C must not reach it."""
        port, password = ports.any_free(), secrets.token_urlsafe(24)
        text = configuration(programs, var, source, port, password)
        write_private(var.supervisor_configuration, text)
        with var.log("supervisord").open("ab") as output:
            process = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig", "TERM"),
                    # -P: what lies beside the script must not hide Python's own modules.
                    *(sys.executable, "-P", str(_SCRIPT), "-c", str(var.supervisor_configuration)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                cwd=source,
                process_group=0,
            )
        started = cls(process, var, source, (port, password))
        started._await_answer()
        return started

    def _await_answer(self) -> None:
        deadline = time.monotonic() + _START_WITHIN_S
        while True:
            try:
                self._rpc.supervisor.getState()
            except (OSError, xmlrpc.client.Error) as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise SupervisorError("supervisord does not start") from error
                time.sleep(0.05)
            except BaseException:
                self.stop()
                raise
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

    def reconfigure(self, programs: Iterable[Program], name: str) -> None:
        """Give the program `name`, which does not run, the command it has among `programs`."""
        text = configuration(programs, self._var, self._source, *self._login)
        write_private(self._var.supervisor_configuration, text)
        self._rpc.supervisor.reloadConfig()
        self._rpc.supervisor.removeProcessGroup(name)
        self._rpc.supervisor.addProcessGroup(name)

    def halt(self, name: str) -> None:
        """Tell a program to end, without waiting until it has."""
        self._rpc.supervisor.stopProcess(name, False)  # noqa: FBT003 - XML-RPC has no keywords

    def conditions(self) -> dict[str, Condition]:
        """Return how each program is."""
        answer = cast("list[dict[str, object]]", self._rpc.supervisor.getAllProcessInfo())
        return {
            str(row["name"]): Condition(
                str(row["statename"]),
                cast("int", row["pid"]),
                _end(row),
                row["statename"] == "EXITED" and row["exitstatus"] == 0,
            )
            for row in answer
        }

    def processes(self) -> dict[str, int]:
        """Return the process id of each program that runs."""
        return {name: one.pid for name, one in self.conditions().items() if one.pid}

    def end_orphans(self) -> None:
        """Kill what programs that died left behind: the children that are no program."""
        # In this order: a program that starts in between is not taken for an orphan.
        children = psutil.Process(self._process.pid).children()
        known = set(self.processes().values())
        leftovers.kill(child for child in children if child.pid not in known)

    def is_alive(self) -> bool:
        """Tell whether supervisord itself runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Stop every program, the last started first, then supervisord; kill what is left."""
        try:
            # psutil tells them from later processes of the same number.
            family = psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            family = []
        children.stop(self._process, signal.SIGTERM, STOP_WITHIN_S)
        leftovers.kill(family)
        self._var.supervisor_pid.unlink(missing_ok=True)
        self._var.supervisor_configuration.unlink(missing_ok=True)


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
