"""What is put under load: a local run, found through its two files; loopback only."""

import ipaddress
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit


class TargetError(Exception):
    """There is no local run to put under load, or it is not on loopback."""


@dataclass(frozen=True)
class Gateway:
    """A gateway's MQTT user (also its client id) and its lots."""

    username: str
    password: str
    lots: tuple[str, ...]
    simulated: bool


@dataclass(frozen=True)
class Target:
    """A running city.

    Attributes:
        http: The API's base URL, without a slash at its end.
        mqtt_host: Where the broker listens.
        mqtt_port: Its port.
        database_url: `postgresql://...`.
        processes: Process ids by name (database, broker, ingester, api, simulator).
        gateways: Who may report.
        directory: Where the run keeps its files.
        metrics: The ingester's Prometheus address.
    """

    http: str
    mqtt_host: str
    mqtt_port: int
    database_url: str
    processes: Mapping[str, int]
    gateways: tuple[Gateway, ...]
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
            gateways = json.loads(credentials_file.read_text(encoding="utf-8"))["gateways"]
            found = cls(
                http=str(run["http"]).rstrip("/"),
                mqtt_host=str(run["mqtt"]["host"]),
                mqtt_port=int(run["mqtt"]["port"]),
                database_url=str(run["database_url"]),
                processes={str(name): int(pid) for name, pid in run["processes"].items()},
                gateways=tuple(_gateway(entry) for entry in gateways),
                directory=run_file.absolute().parent,
                metrics=str(run["ingest_metrics"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TargetError(f"no running city: {error} (start one with `make demo`)") from error
        hosts = (urlsplit(url).hostname for url in (found.http, found.metrics))
        for host in (*hosts, found.mqtt_host):
            require_loopback(host or "")
        return found


def _gateway(entry: Mapping[str, Any]) -> Gateway:
    return Gateway(
        username=str(entry["username"]),
        password=str(entry["password"]),
        lots=tuple(str(lot) for lot in entry["lots"]),
        simulated=bool(entry.get("simulated", False)),
    )


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
