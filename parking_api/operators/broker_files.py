"""The broker's own files: who may log in, and who may say and hear what."""

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

ROOT: Final = "onelot/v1"
INGEST_USER: Final = "platform-ingest"
API_USER: Final = "platform-api"
_PLATFORM_ACL: Final = f"""\
user {INGEST_USER}
topic read {ROOT}/feeds/#
topic write {ROOT}/acks/#
topic readwrite {ROOT}/state/#

user {API_USER}
topic read {ROOT}/state/#
"""


@dataclass(frozen=True)
class GatewayRights:
    """What a gateway may do.

    Attributes:
        gateway_id: The gateway, which is its user name.
        lots: The lots that it may report for: all of its operator's.
    """

    gateway_id: str
    lots: Sequence[str]


def acl(gateways: Iterable[GatewayRights]) -> str:
    """Return the text of mosquitto's acl_file.

    A gateway writes the feeds of its operator's lots under its own name, reads its own acks, and
    reads every lot's state, which is public. Nobody may do anything else; mosquitto lets anyone
    subscribe to anything but delivers only what may be read.
    """
    return _PLATFORM_ACL + "".join(_gateway_acl(gateway) for gateway in gateways)


def _gateway_acl(gateway: GatewayRights) -> str:
    name = gateway.gateway_id
    lines = [
        "",
        f"user {name}",
        *(f"topic write {ROOT}/feeds/{name}/{lot}/+" for lot in gateway.lots),
        f"topic read {ROOT}/acks/{name}/+",
        f"topic read {ROOT}/state/+",
    ]
    return "\n".join(lines) + "\n"


def passwd(hashes: Mapping[str, str]) -> str:
    """Return the text of mosquitto's password_file, from hash by user name."""
    return "".join(f"{user}:{stored}\n" for user, stored in hashes.items())


def write_atomically(path: Path, text: str, mode: int, *, like_directory: bool = False) -> None:
    """Write a file so that it is there whole or as it was before, also after a crash.

    Args:
        path: The file.
        text: What it is to hold.
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
