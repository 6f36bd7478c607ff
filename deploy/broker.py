"""A private mosquitto: its directory, its command line, its users."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy import children
from deploy.accounts import Account, program
from deploy.ports import LOOPBACK, listens
from deploy.postgres import DEPLOY

CONFIGURATION: Final = "mosquitto.conf"
SCRIPT: Final = "broker.sh"
STORE: Final = "mosquitto.db"
LISTENERS: Final = "listeners"
USERS: Final = ("passwd", "acl")
SYSTEM_USER: Final = "mosquitto"


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
        hand_over_users(self.directory, self.account)
        self.process.send_signal(signal.SIGHUP)


def listener(address: str, port: int) -> str:
    """Return a plain listener's configuration; its options stand after its `listener` line."""
    return f"listener {port} {address}\nuse_username_as_clientid true\n"


def prepare(directory: Path, account: Account, port: int) -> None:
    """Fill the broker's directory: script, configuration, listener on loopback, users if missing.

    Without passwd and acl the broker starts and lets nobody in.
    """
    (directory / LISTENERS).mkdir(mode=0o750, parents=True, exist_ok=True)
    for path in (directory, directory / LISTENERS):
        account.own(path)
    directory.chmod(0o750)
    for name in (SCRIPT, CONFIGURATION):
        _write(directory / name, (DEPLOY / name).read_text(), account)
    _write(directory / LISTENERS / "plain.conf", listener(LOOPBACK, port), account)
    hand_over_users(directory, account)


def _write(path: Path, text: str, account: Account) -> None:
    """Write a file unless it is there as it should be: on a full disk it would be cut."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    account.own(path)


def hand_over_users(directory: Path, account: Account) -> None:
    """Give passwd and acl to the broker's account, and nobody else the right to read them."""
    for name in USERS:
        path = directory / name
        path.touch(mode=0o600)
        path.chmod(0o600)
        account.own(path)


def command(mosquitto: str) -> tuple[str, ...]:
    """Return how the broker is called inside its directory; `mosquitto` is its program."""
    return ("sh", SCRIPT, mosquitto)


def put_aside(directory: Path) -> list[Path]:
    """Return the stores that the broker could not read, oldest first (deploy/broker.sh)."""
    return sorted(directory.glob(f"{STORE}.unreadable-*"))


@contextmanager
def running(
    directory: Path, account: Account, port: int, timeout_s: float = 10.0
) -> Iterator[RunningBroker]:
    """Run a broker as a child process on 127.0.0.1:`port`, and stop it at the end.

    Raises:
        NotStartedError: It does not come up.
    """
    prepare(directory, account, port)
    log = directory.with_name(directory.name + ".log")
    argv = account.inside(directory, command(program("mosquitto")), "TERM")

    def is_up(pid: int) -> bool:
        return listens(pid, port)

    with children.running(argv, log, is_up, signal.SIGTERM, timeout_s) as process:
        yield RunningBroker(directory, port, account, process)
