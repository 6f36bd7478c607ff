"""PostgreSQL and mosquitto as children of the test command."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy import broker as mosquitto
from deploy import postgres
from deploy.accounts import HELD, Account, program
from deploy.children import stop, tail
from deploy.listeners import Encrypted
from deploy.ports import LOOPBACK, listens

_LOOK_EVERY_S = 0.02


class NotStartedError(Exception):
    """A server does not come up; the message has the last lines of its log."""


@contextmanager
def _child(
    argv: Sequence[str],
    log: Path,
    is_up: Callable[[int], bool],
    stop_signal: signal.Signals,
    timeout_s: float,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server in a process group of its own, and stop it at the end.

    Args:
        argv: The program and its arguments.
        log: Gets its output, after what is there.
        is_up: Whether the process of this id serves.
        stop_signal: Ends it in good order.
        timeout_s: Longest time until it serves.

    Raises:
        NotStartedError: It does not.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0
        )
    try:
        deadline = time.monotonic() + timeout_s
        while not is_up(process.pid):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotStartedError(f"{log.stem} did not start:\n{tail(log)}")
            time.sleep(_LOOK_EVERY_S)
        yield process
    finally:
        stop(process, stop_signal)


@dataclass(frozen=True)
class Cluster:
    """A running cluster on loopback.

    Attributes:
        directory: Its data directory.
        port: Where it listens on 127.0.0.1.
        superuser_password: The password of `postgres`.
    """

    directory: Path
    port: int
    superuser_password: str

    def url(
        self, database: str, user: str = postgres.SUPERUSER, password: str | None = None
    ) -> str:
        """Return `postgresql://user:password@127.0.0.1:port/database`."""
        word = self.superuser_password if password is None else password
        return f"postgresql://{user}:{word}@{LOOPBACK}:{self.port}/{database}"


@contextmanager
def running_postgres(
    directory: Path,
    account: Account,
    port: int,
    superuser_password: str,
    *,
    extra: Mapping[str, str] | None = None,
    timeout_s: float = 30.0,
) -> Iterator[Cluster]:
    """Make a cluster if need be, run it as a child process, and stop it at the end.

    Args:
        directory: The data directory.
        account: Who runs it.
        port: Where it listens on 127.0.0.1.
        superuser_password: For `postgres`, when the cluster is made.
        extra: Further settings, such as `{"fsync": "off"}` for a test's cluster.
        timeout_s: Longest time until it accepts connections.

    Raises:
        PostgresError: It cannot be set up.
        NotStartedError: It does not come up.
    """
    postgres.initialise(directory, account, superuser_password)
    postgres.configure(directory, account)
    more = [word for name, value in (extra or {}).items() for word in ("-c", f"{name}={value}")]
    command = [*postgres.server(directory), *postgres.settings(HELD, LOOPBACK, port), *more]
    log = directory.with_name(directory.name + ".log")
    argv = account.holding(directory, command, "INT")

    def is_up(pid: int) -> bool:
        return listens(pid, port) and postgres.is_ready(directory, port)

    with _child(argv, log, is_up, signal.SIGINT, timeout_s):
        yield Cluster(directory, port, superuser_password)


@dataclass(frozen=True)
class RunningBroker:
    """A running mosquitto on loopback.

    Attributes:
        directory: Holds mosquitto.conf, passwd, acl and the store.
        port: Where its plain listener is, on 127.0.0.1.
        account: Who runs it, and must be able to read passwd and acl.
        process: The child.
    """

    directory: Path
    port: int
    account: Account
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        """Where the plain listener is bound."""
        return LOOPBACK

    def reload(self) -> None:
        """Make the broker read passwd and acl again; nobody is disconnected."""
        mosquitto.hand_over_users(self.directory, self.account)
        self.process.send_signal(signal.SIGHUP)


@contextmanager
def running_broker(
    directory: Path,
    account: Account,
    port: int,
    tls: Encrypted | None = None,
    timeout_s: float = 10.0,
) -> Iterator[RunningBroker]:
    """Run a broker as a child process on 127.0.0.1:`port`, and stop it at the end.

    Raises:
        NotStartedError: It does not come up.
    """
    mosquitto.prepare(directory, account, port, tls)
    log = directory.with_name(directory.name + ".log")
    argv = account.inside(directory, mosquitto.command(program("mosquitto")), "TERM")

    def is_up(pid: int) -> bool:
        return listens(pid, port)

    with _child(argv, log, is_up, signal.SIGTERM, timeout_s) as process:
        yield RunningBroker(directory, port, account, process)
