"""Reads the simulators' inputs: lots of the import format, credentials, a local run's addresses."""

import argparse
import csv
import json
import ssl
from dataclasses import dataclass
from pathlib import Path

import msgspec

RUN_FILE = Path("var/run.json")
CREDENTIALS_FILE = Path("var/credentials.json")


class RegistryError(Exception):
    """A file that the simulators need is missing or wrong."""


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot as registered. `reporting` is `bays` or `count`; `capacity` at least 1.

    `opens_at` and `closes_at` are `HH:MM`, local; empty where it is open round the clock.
    `longitude` and `latitude` are degrees, WGS 84; None where they are not known.
    """

    lot_id: str
    gateway_id: str
    lot_type: str
    land_use: str
    reporting: str
    report_interval_s: int
    capacity: int
    opens_at: str = ""
    closes_at: str = ""
    longitude: float | None = None
    latitude: float | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """A gateway's MQTT user (also its client id), and the lots that it may report for."""

    username: str
    password: str
    lots: tuple[str, ...]
    simulated: bool = False


class _CredentialsFile(msgspec.Struct):
    """The part of the credentials file that gateways need."""

    gateways: list[Credentials]


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker listens.

    Attributes:
        host: Its name or address.
        port: Its port.
        authorities: Who may have signed its certificate; None for a plain listener.
    """

    host: str
    port: int
    authorities: Path | None = None

    def tls(self) -> ssl.SSLContext | None:
        """Return how its certificate is checked; None for a plain listener."""
        if self.authorities is None:
            return None
        return ssl.create_default_context(cafile=self.authorities)


def read_lots(path: Path) -> list[Lot]:
    """Read `lots.csv` of the import format.

    Raises:
        RegistryError: the file cannot be read, or a row lacks a column or has a bad number.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return msgspec.convert(list(csv.DictReader(file)), list[Lot], strict=False)
    except (OSError, ValueError) as error:
        raise RegistryError(f"{path}: {error!r}") from error


def read_credentials(path: Path) -> list[Credentials]:
    """Read the gateways of a credentials file.

    Raises:
        RegistryError: the file cannot be read or lacks a field.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=_CredentialsFile).gateways
    except (OSError, ValueError, RecursionError) as error:
        raise RegistryError(f"{path}: {error!r}") from error


def add_broker_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for the broker's address and the gateways' credentials."""
    parser.add_argument(
        "--credentials",
        type=Path,
        default=CREDENTIALS_FILE,
        help=f"users of the gateways (default: {CREDENTIALS_FILE})",
    )
    parser.add_argument("--mqtt-host", help=f"default: as in {RUN_FILE}")
    parser.add_argument("--mqtt-port", type=int, help=f"default: as in {RUN_FILE}")
    parser.add_argument(
        "--mqtt-ca",
        type=Path,
        help="connect by TLS (mqtts) to a broker whose certificate these authorities have signed",
    )


def broker_of(args: argparse.Namespace) -> Broker:
    """Return the broker that the options name, or else that of the local run.

    Raises:
        RegistryError: an option is missing and there is no local run.
    """
    host, port = args.mqtt_host, args.mqtt_port
    if host is not None and port is not None:
        return Broker(host, port, args.mqtt_ca)
    try:
        run = json.loads(RUN_FILE.read_text(encoding="utf-8"))["mqtts" if args.mqtt_ca else "mqtt"]
        return Broker(host or str(run["host"]), port or int(run["port"]), args.mqtt_ca)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RegistryError(
            f"give --mqtt-host and --mqtt-port, or start the local run ({RUN_FILE}: {error})"
        ) from error
