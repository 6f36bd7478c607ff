"""What killed programs leave behind, and how it is recognised: never by name.

While supervisord lives, orphans become its children (deploy/supervisord.py). When it was killed
too, PostgreSQL's are known by the block of shared memory that only one postmaster and its children
have.
"""

import re
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from deploy.accounts import Account

# A postmaster whose demo was killed gets SIGINT; its fast shutdown is over by then.
_SHUTDOWN_WITHIN_S: Final = 10.0
_DEATH_WITHIN_S: Final = 2.0
# The lines of postmaster.pid: process id first; key and id of the shared memory are the seventh.
_BLOCK_LINE: Final = 6


@dataclass(frozen=True)
class PostmasterLock:
    """What postmaster.pid says: who wrote it, and the block of shared memory that it made."""

    pid: int
    key: int
    block: int


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kill processes and wait until they are gone; psutil spares later ones of the same number."""
    left = [process for process in processes if process.is_running()]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=_DEATH_WITHIN_S)


def clear_cluster(directory: Path, account: Account) -> None:
    """Make a cluster startable whose postmaster was killed, or whose machine was.

    Backends that still compute keep the postmaster's shared memory, and PostgreSQL does not start
    beside them. After a restart of the machine, the process id in postmaster.pid can be somebody
    else's, and PostgreSQL takes that for a running server. A postmaster that lives and ends gets
    time to; one that stays is left alone. Nobody else may start the cluster meanwhile.

    Args:
        directory: The data directory.
        account: Who runs the cluster.
    """
    file = directory / "postmaster.pid"
    if not file.exists():
        return
    lock = read_lock(file)
    holders = attached(lock, account) if lock else []
    postmaster = next((one for one in holders if lock and one.pid == lock.pid), None)
    if postmaster is not None:
        try:
            postmaster.wait(_SHUTDOWN_WITHIN_S)
        except psutil.TimeoutExpired:
            return
    kill(holders)
    file.unlink(missing_ok=True)


def read_lock(file: Path) -> PostmasterLock | None:
    """Read postmaster.pid; None when it was not written to its end."""
    try:
        lines = file.read_text(errors="replace").splitlines()
        key, block = lines[_BLOCK_LINE].split()
        return PostmasterLock(int(lines[0]), int(key), int(block))
    except (IndexError, ValueError, FileNotFoundError):
        return None


def attached(lock: PostmasterLock, account: Account) -> list[psutil.Process]:
    """Return who has the postmaster's block of shared memory: itself and its children."""
    if not _made_by(lock):
        return []
    # As the server's own user: even root needs a privilege to look into another user's process.
    wanted = rf" {lock.block} +/SYSV{lock.key & 0xFFFFFFFF:08x}"
    maps = [f"/proc/{pid}/maps" for pid in psutil.pids()]
    grep = account.inside(Path("/"), ["grep", "-lsE", wanted, *maps], "KILL")
    done = subprocess.run(grep, capture_output=True, text=True, check=False)
    found = []
    for pid in re.findall(r"/proc/(\d+)/maps", done.stdout):
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(int(pid)))
    return found


def _made_by(lock: PostmasterLock) -> bool:
    """Tell whether the block is still that postmaster's, and not a later one of the same number."""
    rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()]
    block, maker = [str(lock.key), str(lock.block)], str(lock.pid)
    return any(row[:2] == block and row[4] == maker for row in rows)
