"""The system users that the private servers run as.

PostgreSQL refuses to run as root. As root, each server therefore runs as the user that its package
brings; for anybody else it runs as the caller. Such a user may be unable to enter the directories
above its data (a clone below /root): so the data directory is opened first, by the caller, and the
server reaches it through the open descriptor, which asks nothing of the directories above.
"""

import os
import pwd
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# What the kernel opens as descriptor 3, whatever lies above it.
HELD = "/proc/self/fd/3"
_HOLD = 'exec 3<"$1" && cd / && shift && exec "$@"'
_ENTER = 'cd "$1" && shift && exec "$@"'


class AccountMissingError(Exception):
    """The system user that a server is to run as does not exist: is its package installed?"""


@dataclass(frozen=True)
class Account:
    """Who runs a server: a system user, or the caller where `name` is None."""

    name: str | None = None
    uid: int = -1
    gid: int = -1

    def own(self, path: Path | int) -> None:
        """Give a path or an open file to the account; the caller's own stay as they are."""
        if self.name is not None:
            os.chown(path, self.uid, self.gid)

    def _as(self, argv: Sequence[str], death_signal: str) -> list[str]:
        """Wrap `argv` to run as the account and get `death_signal` if its parent dies."""
        user = (f"--reuid={self.uid}", f"--regid={self.gid}", "--init-groups") if self.name else ()
        return ["setpriv", "--pdeathsig", death_signal, *user, "--", *argv]

    def holding(self, directory: Path, argv: Sequence[str], death_signal: str) -> tuple[str, ...]:
        """Wrap `argv` so that it runs in `/` and finds `directory` at `HELD`.

        For PostgreSQL up to 15, which leaves its working directory at start and must be able to
        come back by name.
        """
        return ("sh", "-c", _HOLD, "sh", str(directory), *self._as(argv, death_signal))

    def inside(self, directory: Path, argv: Sequence[str], death_signal: str) -> tuple[str, ...]:
        """Wrap `argv` so that it runs in `directory` and names its files relative to it."""
        return ("sh", "-c", _ENTER, "sh", str(directory), *self._as(argv, death_signal))


def server_account(preferred: str) -> Account:
    """Choose who runs a server: `preferred` for root, the caller for anybody else.

    Raises:
        AccountMissingError: The caller is root and there is no user `preferred`.
    """
    if os.geteuid() != 0:
        return Account()
    try:
        entry = pwd.getpwnam(preferred)
    except KeyError as error:
        raise AccountMissingError(f"no system user {preferred!r}: run `make setup`") from error
    return Account(preferred, entry.pw_uid, entry.pw_gid)


def program(name: str) -> str:
    """Find a server's program, also where an ordinary user's PATH does not look.

    Raises:
        FileNotFoundError: It is not installed.
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: run `make setup`")
    return found
