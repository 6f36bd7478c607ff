"""The keeper: programs start again for ever, orphans are ended, taken ports are stepped over."""

import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from deploy.checks import wait_until
from deploy.configuration import Program
from deploy.directory import Directory, write_private
from deploy.keeper import Keeper, Layout, wait_s
from deploy.ports import LOOPBACK, any_free, is_free, listens
from deploy.services import Address, Place, Service

WAIT_S = 20.0
# Listens on its port, as a child of its own where it is told to, and does nothing else.
LISTENER = """
import os, signal, socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen()
if "child" in sys.argv and os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    signal.pause()
"""
BRIEF = "import sys; print('no room for me'); sys.exit(3)"


def place(database: int, api: int) -> Place:
    def at(port: int) -> Address:
        return Address(LOOPBACK, port, LOOPBACK)

    free = any_free(), any_free()
    servers = at(database), at(free[0]), at(api), at(free[1])
    return Place(*servers, ("postgres",), "", "mosquitto", sys.executable, "", "", "", "")


@dataclass
class Run:
    """Two small programs, the second of which is told the first one's port, and their keeper."""

    var: Directory
    place: Place
    scripts: dict[str, str] = field(default_factory=lambda: {"database": LISTENER, "api": LISTENER})
    words: tuple[str, ...] = ()
    prepare: Callable[[str, Place], None] = lambda _name, _place: None
    said: list[str] = field(default_factory=list)
    first_wait_s: float = 0.05
    _keeper: Keeper | None = None

    @property
    def keeper(self) -> Keeper:
        if self._keeper is None:
            layout = Layout(self.programs, self._prepare)
            args = self.var, self.var.path, self.place, layout, self.said.append
            self._keeper = Keeper(*args, first_wait_s=self.first_wait_s)
        return self._keeper

    def _prepare(self, name: str, at: Place) -> None:
        """As the test says now, also when it has changed its mind."""
        self.prepare(name, at)

    def programs(self, at: Place) -> list[Program]:
        told = {"DATABASE": str(at.database.port)}
        ports = {"database": at.database.port, "api": at.http.port}
        return [
            self._program(name, ports[name], told if name == "api" else {}) for name in self.scripts
        ]

    def _program(self, name: str, port: int, told: dict[str, str]) -> Program:
        script = self.var.path / f"{name}.py"
        if not script.exists() or script.read_text() != self.scripts[name]:
            write_private(script, self.scripts[name])
        command = (sys.executable, str(script), str(port), *self.words)
        return Program(Service(name, command, port, told), command)

    def launch(self, name: str) -> int:
        self.keeper.launch(name)
        return self.await_up(name)

    def await_up(self, name: str, before: int = 0) -> int:
        """Wait until the program listens, as another process than `before`; its process id."""

        def is_up() -> bool:
            at = self.keeper.place
            port = {"database": at.database.port, "api": at.http.port}[name]
            pid = self.keeper.processes().get(name, 0)
            return pid not in {0, before} and listens(pid, port)

        wait_until(is_up, name, WAIT_S)
        return self.keeper.processes()[name]

    def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.stop()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    var = Directory(tmp_path / "var")
    var.make()
    made = Run(var, place(any_free(), any_free()))
    yield made
    made.stop()


def occupy(port: int) -> socket.socket:
    other = socket.socket()
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    other.bind((LOOPBACK, port))
    other.listen()
    return other


def test_waits_grow_to_thirty_seconds() -> None:
    waits = [wait_s(failures) for failures in range(9)]
    assert waits == [0, 1, 2, 4, 8, 16, 30, 30, 30]
    assert wait_s(10**6) == 30


def test_a_program_that_is_killed_again_and_again_comes_back(run: Run) -> None:
    """Supervisord alone gave up at the fourth of five kills within 6.5 s."""
    pid = run.launch("database")
    for _ in range(6):
        psutil.Process(pid).kill()
        pid = run.await_up("database", pid)
    assert run.keeper.restarts() == {"database": 6}
    assert run.keeper.down() == {}
    assert sum("database has ended, by a signal: it starts again" in line for line in run.said) == 6


def test_a_program_that_fails_for_ever_is_tried_for_ever_and_shows_its_log(run: Run) -> None:
    run.scripts["database"] = BRIEF
    run.keeper.launch("database")
    wait_until(lambda: run.keeper.restarts()["database"] >= 5, "restarts", WAIT_S)
    wait_until(lambda: "database" in run.keeper.down(), "a wait", WAIT_S)
    assert run.keeper.processes() == {}
    text = "\n".join(run.said)
    assert "database has ended, status 3: it starts again" in text
    assert f"failure 3 in a row; the last lines of {run.var.log('database')}:\nno room" in text
    # Once it can live, it does: nothing has given up.
    run.scripts["database"] = LISTENER
    assert run.await_up("database")


def is_past(at_s: float) -> bool:
    return time.time() > at_s


def test_a_program_that_is_told_to_end_has_not_failed(run: Run) -> None:
    run.scripts["database"] = "import signal; signal.signal(15, lambda *_: exit(0))" + LISTENER
    pid = run.launch("database")
    for _ in range(4):
        process = psutil.Process(pid)
        long_enough = process.create_time() + 4 * run.first_wait_s
        wait_until(partial(is_past, long_enough), "a run", WAIT_S)
        process.terminate()
        pid = run.await_up("database", pid)
    assert run.keeper.restarts() == {"database": 4}
    assert run.said == ["database has ended, status 0: it starts again"] * 4


def test_a_program_that_ends_at_once_has_failed_with_status_0_too(run: Run) -> None:
    run.first_wait_s = 1000.0
    run.scripts["database"] = "print('nothing to do')"
    run.keeper.launch("database")
    wait_until(lambda: "database" in run.keeper.down(), "a wait", WAIT_S)
    assert "failure 2 in a row" in run.said[-1]


def test_what_a_killed_program_left_behind_is_ended_before_it_starts_again(run: Run) -> None:
    """Its child is in a session of its own, deaf, and sits on the port."""
    run.words = ("child",)
    pid = run.launch("database")
    port = run.keeper.place.database.port
    wait_until(lambda: bool(psutil.Process(pid).children()), "its child", WAIT_S)
    child = psutil.Process(pid).children()[0]
    psutil.Process(pid).kill()
    run.await_up("database", pid)
    assert not child.is_running()
    assert run.keeper.place.database.port == port


def test_a_port_taken_before_the_start_is_stepped_over(run: Run) -> None:
    port = run.place.database.port
    with occupy(port):
        run.launch("database")
    assert run.keeper.place.database.port > port
    assert f"port {port} is taken: database is on" in run.said[0]


def test_a_port_taken_in_the_last_moment_is_stepped_over_by_its_service_alone(run: Run) -> None:
    first = run.launch("database")
    held: list[socket.socket] = []
    port = run.place.http.port

    def take_it_first(name: str, at: Place) -> None:
        # After the keeper has looked, before the program has bound it.
        if name == "api" and at.http.port == port:
            held.append(occupy(port))

    run.prepare = take_it_first
    run.launch("api")
    held[0].close()
    assert run.keeper.place.http.port > port
    assert run.keeper.processes()["database"] == first


def test_a_port_taken_while_its_service_was_down_moves_it_and_who_was_told_it(run: Run) -> None:
    database, api = run.launch("database"), run.launch("api")
    port = run.place.database.port
    held: list[socket.socket] = []

    def occupied() -> bool:
        held.append(occupy(port))
        return True

    run.scripts["database"] = BRIEF
    psutil.Process(database).kill()
    wait_until(lambda: "database" in run.keeper.down() and is_free(port), "a wait", WAIT_S)
    assert occupied()
    run.scripts["database"] = LISTENER
    run.await_up("database", database)
    api = run.await_up("api", api)
    held[0].close()
    moved_to = run.keeper.place.database.port
    assert moved_to > port
    assert psutil.Process(api).environ()["DATABASE"] == str(moved_to)
    assert run.keeper.restarts()["api"] == 0


def test_a_killed_supervisord_starts_again_with_all_programs(run: Run) -> None:
    pids = {name: run.launch(name) for name in ("database", "api")}
    supervisord: Any = psutil.Process(int(run.var.supervisor_pid.read_text()))
    supervisord.kill()
    for pid in pids.values():
        # The local run's programs are told to end by setpriv; these have no such wrapper.
        psutil.Process(pid).terminate()
    for name, pid in pids.items():
        run.await_up(name, pid)
    assert run.keeper.restarts() == {"database": 1, "api": 1}
    # A look at it may have failed before its end was noticed.
    assert any("supervisord has ended" in line for line in run.said)


def test_a_program_that_somebody_else_stopped_stays_stopped(run: Run) -> None:
    """The load test puts the simulator aside."""
    run.launch("database")
    run.keeper._supervisor.halt("database")
    wait_until(lambda: not run.keeper.processes(), "its end", WAIT_S)
    run.keeper.tend()
    assert run.keeper.processes() == {}
    assert run.keeper.failures() == 0
    assert run.said == []
