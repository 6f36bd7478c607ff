"""The broker's listeners, here and in compose.yaml: plain, TLS, and TLS with clients' certificates.

python -m deploy.listeners --broker-dir DIR --authority DIR --bind ADDRESS [--given DIR] NAME ...
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy import certificates
from deploy.accounts import Account

LISTENERS: Final = "listeners"
TLS: Final = "tls"
PLAIN_PORT: Final = 1883
TLS_PORT: Final = 8883
MUTUAL_PORT: Final = 8884


@dataclass(frozen=True)
class Encrypted:
    """The listeners with TLS.

    Attributes:
        port: Of the one where clients log in by password.
        mutual_port: Of the one where gateways log in by certificate; it opens where `given` has
            `clients.pem`.
        authority: The directory of our own authority.
        names: Host names and addresses that our own certificate is good for.
        given: The directory of certificates that are given; None for none.
    """

    port: int
    mutual_port: int
    authority: Path
    names: tuple[str, ...]
    given: Path | None = None


def plain(address: str, port: int) -> str:
    """Return a plain listener's configuration; its options stand after its `listener` line."""
    return f"listener {port} {address}\nuse_username_as_clientid true\n"


def encrypted(address: str, port: int) -> str:
    """Return the configuration of a listener with TLS 1.2 or newer."""
    return (
        f"{plain(address, port)}"
        f"certfile {TLS}/{certificates.CERTIFICATE}\n"
        f"keyfile {TLS}/{certificates.KEY}\n"
    )


def mutual(address: str, port: int) -> str:
    """Return that of one where a gateway is who its certificate's common name says.

    What it may do stands in the ACL as for any other: where its password was revoked, nothing.
    """
    return (
        f"{encrypted(address, port)}"
        f"cafile {TLS}/{certificates.CLIENTS}\n"
        "require_certificate true\n"
        "use_identity_as_username true\n"
    )


def write(
    directory: Path, account: Account, address: str, port: int, tls: Encrypted | None
) -> None:
    """Write the listeners' configuration and certificates into the broker's directory.

    Raises:
        CertificateError: Certificates that are given cannot be used.
    """
    place = directory / LISTENERS
    place.mkdir(mode=0o750, parents=True, exist_ok=True)
    account.own(place)
    texts = {"plain": plain(address, port)}
    if tls is not None:
        keys = directory / TLS
        certificates.provide(keys, account, tls.authority, tls.given, tls.names)
        texts["tls"] = encrypted(address, tls.port)
        if (keys / certificates.CLIENTS).exists():
            texts["mutual"] = mutual(address, tls.mutual_port)
    _write_texts(place, account, texts)


def _write_texts(place: Path, account: Account, texts: Mapping[str, str]) -> None:
    for path in place.glob("*.conf"):
        if path.stem not in texts:
            path.unlink()
    for name, text in texts.items():
        path = place / f"{name}.conf"
        # On a full disk a write would cut what is right already.
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        account.own(path)


def main(argv: Sequence[str] | None = None) -> int:
    """Write them with their usual ports; exit status 1 where given certificates are no good."""
    parser = argparse.ArgumentParser(prog="python -m deploy.listeners")
    parser.add_argument("--broker-dir", type=Path, required=True)
    parser.add_argument("--authority", type=Path, required=True)
    parser.add_argument("--bind", required=True)
    parser.add_argument("--given", type=Path)
    parser.add_argument("names", nargs="+")
    options = parser.parse_args(argv)
    tls = Encrypted(TLS_PORT, MUTUAL_PORT, options.authority, tuple(options.names), options.given)
    try:
        write(options.broker_dir, Account(), options.bind, PLAIN_PORT, tls)
    except certificates.CertificateError as error:
        parser.exit(1, f"{error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
