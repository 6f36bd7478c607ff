"""The parent process of the workers: it has the port, and starts, replaces and ends workers.

Workers are forks of it and accept connections from its one socket. The parent imports nothing of
the application, so that it is small and a new worker runs the code that is installed at its start.
SIGHUP replaces each worker by a new one, which takes over once it has read the city; the socket
stays open, so that no request is refused meanwhile.
"""

import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from mmap import mmap
from tempfile import TemporaryFile
from typing import IO, Final

import structlog

# A worker that must end is killed after so long: uvicorn waits 1 s for running answers.
END_WITHIN_S: Final = 3.0
# And one that was replaced: it serves those who are connected first (`serving`).
RETIRE_WITHIN_S: Final = 10.0
# A worker that ended sooner than this is started again after as long; others at once.
SOON_S: Final = 1.0
_LOOK_EVERY_S: Final = 0.1
_ENDS: Final = frozenset({signal.SIGTERM, signal.SIGINT})

log = structlog.get_logger(__name__)


# Some 65,000 clients at a time.
COUNTS_BYTES: Final = 2**20


@dataclass(frozen=True)
class Shared:
    """What the workers count in together: made before the first of them.

    Attributes:
        places: A file, see `parking_api.feeds.places`.
        counts: Memory, see `parking_api.clients.SharedCounts`.
    """

    places: IO[bytes] = field(default_factory=TemporaryFile)
    counts: mmap = field(default_factory=lambda: mmap(-1, COUNTS_BYTES))


@dataclass(frozen=True)
class Start:
    """What a worker knows from its parent.

    Attributes:
        place: Its place among the workers, from 0.
        lane: 0 or 1; never that of the worker which it replaces.
        replaces: Whether another worker serves in its place until it is ready.
        ready: Called once it accepts connections.
        parent: Process id of the parent.
    """

    place: int
    lane: int
    replaces: bool
    ready: Callable[[], object]
    parent: int


@dataclass(eq=False)
class _Worker:
    pid: int
    place: int
    lane: int
    # A pipe that says something when the worker is ready, and ends when it ends.
    line: int
    began: float
    kill_at: float | None = None

    def end(self, number: signal.Signals, within_s: float) -> None:
        """Send a signal that ends it; not waited for yet, so its process id is still its own."""
        self.kill_at = time.monotonic() + within_s
        os.kill(self.pid, number)


@dataclass
class _Place:
    serving: _Worker | None = None
    coming: _Worker | None = None
    start_at: float = 0.0


@dataclass
class Workers:
    """The workers of a socket.

    Attributes:
        count: How many.
        work: Runs in each worker's process until the worker ends.
        ended: Called with the process id of each worker that has ended.
    """

    count: int
    work: Callable[[Start], None]
    ended: Callable[[int], None] = lambda _: None
    _places: list[_Place] = field(default_factory=list)
    _leaving: set[_Worker] = field(default_factory=set)
    _asked: set[signal.Signals] = field(default_factory=set)
    _was_ready: bool = False

    def run(self) -> int:
        """Run the workers until SIGTERM or SIGINT; replace them at SIGHUP.

        Returns:
            The exit status: 0, or that of a worker which ended before any was ready.
        """
        self._places = [_Place() for _ in range(self.count)]
        wake_up, waker = socket.socketpair()
        with wake_up, waker:
            wake_up.settimeout(0)
            waker.settimeout(0)
            signal.set_wakeup_fd(waker.fileno())
            for number in (*_ENDS, signal.SIGHUP):
                signal.signal(number, lambda got, _: self._asked.add(signal.Signals(got)))
            status = None
            while status is None:
                self._start_due()
                status = self._turn(wake_up)
            self._end(wake_up)
        return status

    def _turn(self, wake_up: socket.socket) -> int | None:
        """Wait for an event and handle it; return the exit status when all is over."""
        for worker in self._ended(wake_up):
            status = os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1])
            os.close(worker.line)
            self.ended(worker.pid)
            self._forget(worker, status)
            if not self._was_ready and not self._asked & _ENDS:
                return abs(status) or 1
        if self._asked & _ENDS:
            return 0
        if signal.SIGHUP in self._asked:
            self._asked.clear()
            self._replace()
        self._kill_late()
        return None

    def _ended(self, wake_up: socket.socket) -> list[_Worker]:
        """Wait for an event; return the workers that have ended."""
        is_due = self._leaving or any(place.serving is None for place in self._places)
        ended = []
        with selectors.DefaultSelector() as selector:
            selector.register(wake_up, selectors.EVENT_READ)
            for worker in self._all():
                selector.register(worker.line, selectors.EVENT_READ, worker)
            for key, _ in selector.select(_LOOK_EVERY_S if is_due else None):
                if key.data is None:
                    wake_up.recv(4096)
                elif os.read(key.fd, 16):
                    self._note_ready(key.data)
                else:
                    ended.append(key.data)
        return ended

    def _all(self) -> Iterator[_Worker]:
        for place in self._places:
            yield from (each for each in (place.serving, place.coming) if each)
        yield from self._leaving

    # What becomes of a worker.

    def _start_due(self) -> None:
        for number, place in enumerate(self._places):
            if place.serving is place.coming is None and time.monotonic() >= place.start_at:
                place.serving = self._start(number, replaces=False)

    def _start(self, number: int, *, replaces: bool) -> _Worker:
        parent, (line, other_end) = os.getpid(), os.pipe()
        serving = self._places[number].serving
        lane = 1 - serving.lane if serving else 0
        pid = os.fork()
        if pid == 0:
            os.close(line)
            ready = partial(os.write, other_end, b"\n")
            self._become(Start(number, lane, replaces, ready, parent))
        os.close(other_end)
        return _Worker(pid, number, lane, line, time.monotonic())

    def _become(self, start: Start) -> None:
        """Run as a worker; this process ends here."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            # It means something to one that serves.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            # uvicorn raises these again once it has stopped as it should: that is no failure.
            for number in _ENDS:
                signal.signal(number, lambda *_: sys.exit(0))
            for worker in self._all():
                os.close(worker.line)
            self.work(start)
            status = 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
        except BaseException:
            # It must never go on as its parent.
            log.exception("worker failed")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _note_ready(self, worker: _Worker) -> None:
        if worker in self._leaving:
            # It was told to end while it was about to say so.
            return
        self._was_ready = True
        log.info("worker ready", pid=worker.pid, place=worker.place)
        place = self._places[worker.place]
        if worker is place.coming:
            if place.serving:
                place.serving.end(signal.SIGHUP, RETIRE_WITHIN_S)
                self._leaving.add(place.serving)
            place.serving, place.coming = worker, None

    def _replace(self) -> None:
        """Start a new worker beside each; end those that are still starting with older code."""
        for number, place in enumerate(self._places):
            if place.coming:
                place.coming.end(signal.SIGTERM, END_WITHIN_S)
                self._leaving.add(place.coming)
                # From here on it is among those that leave, and nowhere else.
                place.coming = None
            place.coming = self._start(number, replaces=True)

    def _forget(self, worker: _Worker, status: int) -> None:
        place, lived_s = self._places[worker.place], time.monotonic() - worker.began
        if worker in self._leaving:
            self._leaving.discard(worker)
            log.info("worker gone", pid=worker.pid, place=worker.place, status=status)
            return
        if worker is place.coming:
            place.coming = None
        else:
            place.serving = None
        place.start_at = time.monotonic() + (SOON_S if lived_s < SOON_S else 0)
        log.error("worker has ended", pid=worker.pid, place=worker.place, status=status)

    def _kill_late(self) -> None:
        now = time.monotonic()
        for worker in self._leaving:
            if worker.kill_at is not None and now > worker.kill_at:
                os.kill(worker.pid, signal.SIGKILL)

    def _end(self, wake_up: socket.socket) -> None:
        """End all workers."""
        self._leaving = set(self._all())
        self._places = []
        for worker in self._leaving:
            worker.end(signal.SIGTERM, END_WITHIN_S)
        while self._leaving:
            for worker in self._ended(wake_up):
                os.waitpid(worker.pid, 0)
                self._leaving.discard(worker)
            self._kill_late()
