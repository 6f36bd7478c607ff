"""The machine under a load test: who else uses its processors, and who comes first."""

import contextlib
import os
import time
from collections.abc import Iterable, Mapping
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


def _busy_s() -> float:
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
    """Seconds of processors used until a moment, by program.

    `load` is this process with those that it has started, apart from the programs named. `others`
    is whatever else keeps the machine busy: figures are the platform's own only where that is
    little.

    Attributes:
        at_s: The moment, in Unix seconds.
        used_s: By program.
    """

    at_s: float
    used_s: Mapping[str, float]

    @classmethod
    def now(cls, programs: Mapping[str, int]) -> Self:
        """Read the usage of this moment; `programs` are process ids by name."""
        families = {name: with_children(pid) for name, pid in programs.items()}
        # A city of our own is of the family: it is still no load.
        load = with_children(os.getpid()).difference(*families.values())
        families = {name: one for name, one in families.items() if one} | {"load": load}
        used_s = {name: _used_s(one) for name, one in families.items()}
        used_s["others"] = _busy_s() - sum(used_s.values())
        return cls(time.time(), used_s)

    def cores_since(self, before: "Usage") -> dict[str, float]:
        """Return how many cores each program used since then, on the average."""
        passed_s = max(self.at_s - before.at_s, 1e-9)
        return {
            # A little below 0 where the kernel rounds differently for the machine and for one.
            name: max(0.0, round((used_s - before.used_s[name]) / passed_s, 2))
            for name, used_s in self.used_s.items()
            if name in before.used_s
        }


def _used_s(processes: Iterable[psutil.Process]) -> float:
    """Sum up the processor seconds of processes, and of those of their children that ended."""
    total_s = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total_s += times.user + times.system + times.children_user + times.children_system
    return total_s
