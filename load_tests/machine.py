"""The machine under a load test: who else uses its processors, and who comes first."""

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import psutil

from load_tests.target import TargetError

# Of Linux's niceness for whole sessions, from -20 to 19.
_FIRST: Final = "-15"


def with_children(pid: int) -> set[psutil.Process]:
    """Return a process and those that it started; none where it has ended."""
    try:
        process = psutil.Process(pid)
        return {process, *process.children(recursive=True)}
    except psutil.Error:
        return set()


def busy_s() -> float:
    """Sum up the seconds in which the machine's processors were not idle."""
    times = psutil.cpu_times()
    # Guests' time is in their users' already.
    free = ("idle", "iowait", "guest", "guest_nice")
    return float(sum(times) - sum(getattr(times, name, 0.0) for name in free))


def put_first() -> None:
    """Let this process and all that it has started go before everything else on the machine.

    Where a machine is shared, its other users are then not measured. Linux divides processors among
    sessions, so that the niceness of single processes would change nothing.

    Raises:
        TargetError: This is no Linux that divides so, or we have no right to.
    """
    for process in with_children(os.getpid()):
        try:
            Path(f"/proc/{process.pid}/autogroup").write_text(_FIRST, encoding="utf-8")
        except ProcessLookupError:
            continue
        except OSError as error:
            raise TargetError(f"the city cannot be put first: {error}") from error


@dataclass(frozen=True)
class Usage:
    """Seconds of processors used until now.

    Attributes:
        at_s: When (seconds of the machine's clock that never steps).
        ours: Of this process and each that it has started.
        every: Of everybody.
    """

    at_s: float
    ours: Mapping[int, float]
    every: float

    @classmethod
    def now(cls) -> Self:
        """Read the usage of this moment."""
        ours: dict[int, float] = {}
        for process in with_children(os.getpid()):
            with contextlib.suppress(psutil.NoSuchProcess):
                used = process.cpu_times()
                ours[process.pid] = used.user + used.system
        return cls(time.monotonic(), ours, busy_s())

    def processors_since(self, before: "Usage") -> tuple[float, float]:
        """Return how many processors were used by us and by others, on average since then."""
        seconds = max(self.at_s - before.at_s, 1e-9)
        ours = sum(used - before.ours.get(pid, 0.0) for pid, used in self.ours.items())
        others = self.every - before.every - ours
        return ours / seconds, max(others, 0.0) / seconds
