"""The keeper: it starts programs, and restarts for ever each one that ends.

The first start after a time well is at once, further ones after 1, 2, 4 .. 30 s; an end with status
0 is no failure, unless it comes within the first second. Before each start, what the program left
behind is ended. A port that another program has taken is stepped over by the
service that meets it, and programs that were given the old one are started again with the new one.
"""

import threading
import time
import xmlrpc.client
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from deploy import children, leftovers, ports
from deploy.configuration import Program
from deploy.directory import Directory
from deploy.services import Place, moved
from deploy.supervision import ENDED, RUNS, STOP_WITHIN_S, Condition, Supervisor

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
# A program that ran this long was well: its next failure counts as the first.
WELL_AFTER_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.25
_LOG_LINES: Final = 5


@dataclass(frozen=True)
class Layout:
    """Which programs the keeper keeps running.

    Attributes:
        programs: The programs at a place, in the order in which they start.
        prepare: Called with a program's name and the place before each start of it.
    """

    programs: Callable[[Place], Sequence[Program]]
    prepare: Callable[[str, Place], None]


@dataclass
class Kept:
    """A program that was launched; times are of the monotonic clock.

    Attributes:
        program: As it was last started.
        started_at: When.
        failures: How often it failed in a row, none of the runs a long one.
        due_at: When it starts next; None while it runs.
        ends: How often it has ended by itself.
        restarts: How often it was started again after it had ended by itself.
        moving: It was stopped, and starts again at once: with new ports, for instance.
    """

    program: Program
    started_at: float
    failures: int = 0
    due_at: float | None = None
    ends: int = 0
    restarts: int = 0
    moving: bool = False


def wait_s(failures: int, first_s: float = FIRST_WAIT_S) -> float:
    """Return the seconds until the next start.

    Args:
        failures: In a row, before this one; after the first the start is at once.
        first_s: The wait after the second; each further one is twice as long.
    """
    if failures == 0:
        return 0.0
    return min(LONGEST_WAIT_S, first_s * 2.0 ** min(failures - 1, 30))


class Keeper:
    """Keeps the programs running in a thread of its own; its methods may be called from any."""

    def __init__(
        self,
        var: Directory,
        source: Path,
        place: Place,
        layout: Layout,
        say: Callable[[str], None],
        *,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self._var = var
        self._source = source
        self._place = place
        self._layout = layout
        self._say = say
        self._first_wait_s = first_wait_s
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._kept: dict[str, Kept] = {}
        self._trouble = ""
        self._family: dict[str, psutil.Process] = {}
        # What supervisord's configuration says of each program.
        self._configured: dict[str, Program] = {}
        self._supervisor = self._start_supervisor()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    @property
    def place(self) -> Place:
        """Where the services are; a port that was stepped over has changed it."""
        with self._lock:
            return self._place

    def launch(self, name: str) -> None:
        """Start a program, and keep it running from now on."""
        with self._lock:
            self._step_over(name)
            self._kept[name] = Kept(self._program(name), time.monotonic())
            self._start(name, self._kept[name])

    def processes(self) -> dict[str, int]:
        """Return the process id of each program that runs; of none when supervisord is down."""
        with self._lock:
            try:
                return self._supervisor.processes()
            except (OSError, xmlrpc.client.Error):
                return {}

    def restarts(self) -> dict[str, int]:
        """Return how often each program was started again after it had ended by itself."""
        with self._lock:
            return {name: kept.restarts for name, kept in self._kept.items()}

    def failures(self) -> int:
        """Return how often programs have ended by themselves, all together."""
        with self._lock:
            return sum(kept.ends for kept in self._kept.values())

    def down(self) -> dict[str, float]:
        """Return the programs that wait for their next start, and the seconds until then."""
        with self._lock:
            now = time.monotonic()
            return {
                name: max(0.0, kept.due_at - now)
                for name, kept in self._kept.items()
                if kept.due_at is not None
            }

    def tend(self) -> None:
        """Look at every program once, and do what is due."""
        with self._lock:
            if not self._supervisor.is_alive():
                self._revive()
            conditions = self._supervisor.conditions()
            for name, kept in self._kept.items():
                self._tend(name, kept, conditions[name])

    def stop(self) -> None:
        """Stop every program, the last started first, then supervisord; kill what is left."""
        self._ended.set()
        self._thread.join()
        family = list(self._family.values())
        self._supervisor.stop()
        _end(family)

    def _run(self) -> None:
        while not self._ended.wait(_LOOK_EVERY_S):
            try:
                self.tend()
            except Exception as error:  # noqa: BLE001 - a full disk, a fault of ours: go on keeping
                self._say_once(f"the programs cannot be looked after: {error}")
            else:
                self._trouble = ""

    def _say_once(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._say(trouble)
        self._trouble = trouble

    def _program(self, name: str) -> Program:
        return next(one for one in self._layout.programs(self._place) if one.service.name == name)

    def _tend(self, name: str, kept: Kept, condition: Condition) -> None:
        now = time.monotonic()
        if condition.state in RUNS:
            if now - kept.started_at >= WELL_AFTER_S:
                kept.failures = 0
            if kept.program != self._program(name):
                kept.moving = True
                self._supervisor.halt(name)
        elif kept.moving and condition.state == "STOPPED":
            self._step_over(name)
            self._start(name, kept)
        elif condition.state in ENDED:
            if kept.due_at is None:
                self._note_end(name, kept, condition, now)
            if kept.due_at is not None and now >= kept.due_at:
                self._start_again(name, kept)

    def _note_end(self, name: str, kept: Kept, condition: Condition, now: float) -> None:
        ran_s = now - kept.started_at
        if ran_s >= WELL_AFTER_S:
            kept.failures = 0
        wait = wait_s(kept.failures, self._first_wait_s)
        # What was stopped, by an operator for instance, has not failed; what ends by itself at
        # once has, whatever its status.
        failed = not condition.is_orderly or ran_s < self._first_wait_s
        kept.failures += failed
        kept.ends += 1
        kept.due_at = now + wait
        text = f"{name} has ended, {condition.description}: "
        text += f"it starts again in {wait:.0f} s" if wait else "it starts again"
        if failed and kept.failures > 1:
            log = self._var.log(name)
            text += f"; failure {kept.failures} in a row; the last lines of {log}:\n"
            text += children.tail(log, _LOG_LINES)
        self._say(text)

    def _start_again(self, name: str, kept: Kept) -> None:
        # If anything below fails, the next try waits.
        kept.due_at = time.monotonic() + wait_s(max(1, kept.failures - 1), self._first_wait_s)
        self._supervisor.end_orphans()
        self._step_over(name)
        self._start(name, kept)
        kept.restarts += 1

    def _start(self, name: str, kept: Kept) -> None:
        self._layout.prepare(name, self._place)
        program = self._program(name)
        if self._configured[name] != program:
            self._supervisor.reconfigure(self._layout.programs(self._place), name)
            self._configured[name] = program
        self._supervisor.launch(name)
        kept.program, kept.started_at = program, time.monotonic()
        kept.due_at, kept.moving = None, False
        self._note_process(name)

    def _note_process(self, name: str) -> None:
        """Remember the process itself, not its number alone: supervisord may be killed."""
        if pid := self._supervisor.processes().get(name):
            with suppress(psutil.NoSuchProcess):
                self._family[name] = psutil.Process(pid)

    def _step_over(self, name: str) -> None:
        """Move a service off a port that another program has taken; its users restart."""
        for address, port in self._program(name).service.ports.items():
            if ports.is_free(port):
                continue
            programs = self._layout.programs(self._place)
            others = {taken for one in programs for taken in one.service.ports.values()}
            free = ports.next_free(port + 1, others)
            self._place = moved(self._place, address, free)
            self._say(f"port {port} is taken: {address} is on {free}")

    def _start_supervisor(self) -> Supervisor:
        programs = self._layout.programs(self._place)
        self._configured = {one.service.name: one for one in programs}
        return Supervisor.start(programs, self._var, self._source)

    def _revive(self) -> None:
        """Start supervisord again, and every program: each got SIGTERM when supervisord died."""
        self._say("supervisord has ended: it and all programs start again")
        _end(list(self._family.values()))
        self._family.clear()
        self._supervisor = self._start_supervisor()
        for kept in self._kept.values():
            kept.due_at, kept.moving = None, True
            kept.ends += 1
            kept.restarts += 1


def _end(family: Sequence[psutil.Process]) -> None:
    """Wait for processes that are ending; kill those that do not end."""
    _, left = psutil.wait_procs(family, timeout=STOP_WITHIN_S)
    leftovers.kill(left)
