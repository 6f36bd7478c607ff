"""A private mosquitto: its directory, its command line, its users."""

from pathlib import Path
from typing import Final

from deploy import listeners
from deploy.accounts import Account
from deploy.listeners import Encrypted
from deploy.ports import LOOPBACK
from deploy.postgres import DEPLOY

CONFIGURATION: Final = "mosquitto.conf"
SCRIPT: Final = "broker.sh"
STORE: Final = "mosquitto.db"
USERS: Final = ("passwd", "acl")
SYSTEM_USER: Final = "mosquitto"


def prepare(directory: Path, account: Account, port: int, tls: Encrypted | None = None) -> None:
    """Fill the broker's directory: script, configuration, listeners on loopback, users if missing.

    Without passwd and acl the broker starts and lets nobody in.

    Raises:
        CertificateError: Certificates that are given cannot be used.
    """
    directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    account.own(directory)
    directory.chmod(0o750)
    for name in (SCRIPT, CONFIGURATION):
        _write(directory / name, (DEPLOY / name).read_text(), account)
    listeners.write(directory, account, LOOPBACK, port, tls)
    hand_over_users(directory, account)


def _write(path: Path, text: str, account: Account) -> None:
    """Write a file unless it is already right: on a full disk a write would cut it."""
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
