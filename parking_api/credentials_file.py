"""Writes the file of credentials in clear text: mode 0600, and never half-written."""

import contextlib
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

FILE_MODE: Final = 0o600


class CredentialsFileError(Exception):
    """The file of credentials that is there is not one; the message says why."""


def write_atomically(path: Path, text: str, mode: int, *, like_directory: bool = False) -> None:
    """Write a file atomically: after a crash it is complete, or as it was before.

    Args:
        path: The file.
        text: Its content.
        mode: Its permissions.
        like_directory: Give it, when run as root, to the owner and group of its directory.

    Raises:
        OSError: It cannot be written; the file is as it was.
    """
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        try:
            os.fchmod(file.fileno(), mode)
            if like_directory and os.geteuid() == 0:
                owner = path.parent.stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(file.name).unlink()
            raise
