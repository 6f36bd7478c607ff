"""The file of credentials in clear text: JSON, mode 0600, never half-written."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

FILE_MODE: Final = 0o600


class CredentialsFileError(Exception):
    """The file of credentials that is there is not one; the message says why."""


def read_credentials(file: Path) -> dict[str, Any]:
    """Read the file; it has no members where it is not there.

    Raises:
        CredentialsFileError: It is not a JSON object.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise CredentialsFileError(f"{file} is not JSON: move it away") from error
    if not isinstance(document, dict):
        raise CredentialsFileError(f"{file} is not a JSON object: move it away")
    return document


def write_credentials(file: Path, document: Mapping[str, object]) -> None:
    """Write the file atomically.

    Raises:
        OSError: It cannot be written; the file is as it was.
    """
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    write_atomically(file, text, FILE_MODE)


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
