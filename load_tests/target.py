"""The city that is put under load: a local run, read from its two files; loopback only."""

import ipaddress
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from simulators.registry import Broker, Credentials, RegistryError, read_credentials


class TargetError(Exception):
    """There is no local run to put under load, or it is not on loopback."""


@dataclass(frozen=True)
class Target:
    """A running city.

    Attributes:
        http: The API's base URL, without a slash at its end.
        mqtt: Where the broker listens.
        database_url: `postgresql://...`.
        processes: Process ids by name (database, broker, ingester, api, simulator).
        gateways: The gateways that may report.
        directory: Where the run keeps its files.
        metrics: The ingester's Prometheus address.
    """

    http: str
    mqtt: Broker
    database_url: str
    processes: Mapping[str, int]
    gateways: tuple[Credentials, ...]
    directory: Path
    metrics: str

    @classmethod
    def of(cls, directory: Path) -> Self:
        """Read the files of the local run in a directory; see `read`."""
        return cls.read(directory / "run.json", directory / "credentials.json")

    @classmethod
    def read(cls, run_file: Path, credentials_file: Path) -> Self:
        """Read the files of a local run.

        Raises:
            TargetError: One of them is missing or not what it should be, or names a host that is
                not loopback.
        """
        try:
            run = json.loads(run_file.read_text(encoding="utf-8"))
            found = cls(
                http=str(run["http"]).rstrip("/"),
                mqtt=Broker(str(run["mqtt"]["host"]), int(run["mqtt"]["port"])),
                database_url=str(run["database_url"]),
                processes={str(name): int(pid) for name, pid in run["processes"].items()},
                gateways=tuple(read_credentials(credentials_file)),
                directory=run_file.absolute().parent,
                metrics=str(run["ingest_metrics"]),
            )
        except (OSError, ValueError, KeyError, TypeError, RegistryError) as error:
            raise TargetError(f"no running city: {error} (start one with `make demo`)") from error
        hosts = (urlsplit(url).hostname for url in (found.http, found.metrics))
        for host in (*hosts, found.mqtt.host):
            require_loopback(host or "")
        return found


def require_loopback(host: str) -> None:
    """Make sure that a host is this machine: load goes nowhere else.

    Args:
        host: A name or an address; every address of a name must be loopback.

    Raises:
        TargetError: It is not, or cannot be resolved.
    """
    try:
        answers = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError) as error:
        raise TargetError(f"{host!r} cannot be resolved") from error
    addresses = {str(answer[4][0]) for answer in answers}
    if not host or not all(ipaddress.ip_address(one).is_loopback for one in addresses):
        raise TargetError(f"load goes to loopback only, not to {host!r}")
