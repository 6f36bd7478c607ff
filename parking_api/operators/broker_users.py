"""The broker's users, kept as the database has them: a program of its own beside the broker.

It alone writes the broker's `passwd` and `acl` while the broker runs, and has mosquitto read them
again by SIGHUP. mosquitto then ends the connections of those whose password is another or none, and
takes the new rights for all others, who stay connected. It reads gateways and hashes, and no
password of the platform: the lines of the platform's users stay as they are.
"""

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from parking_api.operators import queries
from parking_api.operators.broker_files import PLATFORM_USERS, acl, passwd
from sql.engine import AdvisoryLock, Db, connect, lock, transaction
from sql.faults import FAULTS

CHANNEL: Final = "logins"
# The broker's process, as deploy/broker.sh writes it.
PID_FILE: Final = "broker.pid"
MODE: Final = 0o600
# mosquitto reads its files before it minds signals: one that comes too early would be lost.
_SETTLED_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.5
_AGAIN_S: Final = 1.0
_NO_HOME: Final = "/nonexistent"
_STATEMENT_WITHIN_S: Final = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Told:
    """What a broker was last told to read: its process, and the files as they were."""

    pid: int
    started: int
    files: tuple[tuple[int, int], ...]


class BrokerUsers:
    """The files in the broker's directory.

    Args:
        directory: The broker's; it holds `passwd`, `acl` and `broker.pid`.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._told: Told | None = None

    async def write(self, db: Db) -> None:
        """Write what the database says, where the files say something else.

        Raises:
            OSError: A file cannot be written; it is as it was.
        """
        async with transaction(db, readonly=True) as within:
            # Whoever else writes them does so in a transaction with the same lock.
            await lock(within, AdvisoryLock.BROKER_USERS)
            hashes = {one.gateway_id: one.password_hash for one in await queries.logins(within)}
            own = self._platform_lines()
            # Rights first: whoever gets in has them.
            self._write("acl", acl(sorted(hashes)))
            self._write("passwd", passwd(own | dict(sorted(hashes.items()))))

    def _platform_lines(self) -> dict[str, str]:
        with suppress(FileNotFoundError):
            lines = (self._directory / "passwd").read_text().splitlines()
            pairs = (line.partition(":") for line in lines)
            return {name: stored for name, _, stored in pairs if name in PLATFORM_USERS}
        return {}

    def _write(self, name: str, text: str) -> None:
        path = self._directory / name
        with suppress(FileNotFoundError):
            if path.read_text() == text:
                return
        fresh = self._directory / f".{name}.fresh"
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def tell(self) -> bool:
        """Have the broker read its files again, once after each change of them or start of it.

        Returns:
            Whether the broker that runs has been told of the files as they are.
        """
        found = self._broker()
        if found is None:
            return False
        pid, started = found
        told = Told(pid, started, self._files())
        if told == self._told:
            return True
        if _uptime_s() - started / os.sysconf("SC_CLK_TCK") < _SETTLED_S:
            return False
        os.kill(pid, signal.SIGHUP)
        self._told = told
        log.info("the broker reads its users again")
        return True

    def _broker(self) -> tuple[int, int] | None:
        """Return the running broker's process id and its start, in ticks since the system's."""
        try:
            pid = int((self._directory / PID_FILE).read_text())
            text = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        # `pid (name) state ...`, proc(5); the name may hold anything.
        name, _, rest = text.partition(" (")[2].rpartition(")")
        return (pid, int(rest.split()[19])) if name == "mosquitto" else None

    def _files(self) -> tuple[tuple[int, int], ...]:
        stats = [(self._directory / name).stat() for name in ("passwd", "acl")]
        return tuple((one.st_ino, one.st_mtime_ns) for one in stats)


def _uptime_s() -> float:
    return float(Path("/proc/uptime").read_text().split()[0])


async def follow(url: str, directory: Path, status: Path | None) -> None:
    """Keep the broker's users until cancelled, whoever of database and broker comes and goes.

    Run as root, it becomes the owner of the broker's directory once it has connected: nothing else
    needs a right of root.

    Args:
        url: The database, as a role that reads gateways' hashes.
        directory: The broker's.
        status: A file that is touched whenever all is as the database says; None for none.
    """
    users: BrokerUsers | None = None
    while True:
        try:
            db = await connect(url, "onelot-logins", command_timeout_s=_STATEMENT_WITHIN_S)
            try:
                users = users or BrokerUsers(_entered(directory))
                await _follow_once(db, users, status)
            finally:
                db.terminate()
        except FAULTS as error:
            log.warning("the database is away: the broker's users stay", error=type(error).__name__)
        except Exception:
            log.exception("the broker's users are not kept")
        await asyncio.sleep(_AGAIN_S)


async def _follow_once(db: Db, users: BrokerUsers, status: Path | None) -> None:
    changed = asyncio.Event()
    db.add_termination_listener(lambda _: changed.set())
    await db.add_listener(CHANNEL, lambda *_: changed.set())
    changed.set()
    while not db.is_closed():
        if changed.is_set():
            changed.clear()
            await users.write(db)
        else:
            await db.execute("SELECT")
        if users.tell() and status is not None:
            _touch(status)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_EVERY_S):
                await changed.wait()


def _touch(status: Path) -> None:
    status.touch()


def _entered(directory: Path) -> Path:
    """Enter the broker's directory as its owner, who may be unable to enter those above it."""
    owner = directory.stat()
    os.chdir(directory)
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)
        # asyncpg looks for keys at home, and root's is closed from here on.
        os.environ["HOME"] = _NO_HOME
    return Path()
