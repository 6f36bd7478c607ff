"""Reads the simulators' inputs: lots of the import format, credentials, a local run's addresses."""

import argparse
import csv
import io
import json
import math
import ssl
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import msgspec

RUN_FILE = Path("var/run.json")
CREDENTIALS_FILE = Path("var/credentials.json")


Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)] | None
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)] | None
LocalTime = Annotated[str, msgspec.Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)?$")]


class RegistryError(Exception):
    """A file that the simulators need is missing or wrong."""


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot as registered. `reporting` is `bays` or `count`; `capacity` at least 1.

    `opens_at` and `closes_at` are `HH:MM`, local; empty where it is open round the clock.
    `longitude` and `latitude` are degrees, WGS 84; None where they are not known.
    """

    lot_id: Annotated[str, msgspec.Meta(min_length=1)]
    gateway_id: str
    lot_type: str
    land_use: str
    reporting: str
    report_interval_s: int
    capacity: Annotated[int, msgspec.Meta(ge=1, le=20_000)]
    opens_at: LocalTime = ""
    closes_at: LocalTime = ""
    longitude: Longitude = None
    latitude: Latitude = None


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
        RegistryError: the file cannot be read, or has faults; each row and column is named.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (OSError, csv.Error) as error:
        raise RegistryError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        raise RegistryError(f"{path}: is not UTF-8, at byte {error.start}") from error
    lots, faults = _lots(rows)
    if faults:
        raise RegistryError("\n".join(f"{path}{fault}" for fault in faults))
    return lots


def _lots(rows: Sequence[Sequence[str]]) -> tuple[list[Lot], list[str]]:
    """Return the lots of a table, and what is wrong with it: `, row 3, column capacity: ...`."""
    header = rows[0] if rows else []
    types = get_type_hints(Lot, include_extras=True)
    missing = [
        each.name for each in fields(Lot) if each.default is MISSING and each.name not in header
    ]
    faults = [f", row 1, column {name}: is missing" for name in missing]
    faults += [
        f", row 1, column {name}: is there twice" for name in types if header.count(name) > 1
    ]
    if not rows or faults:
        return [], faults
    places = {name: header.index(name) for name in types if name in header}
    lots: list[Lot] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        if len(row) != len(header):
            faults.append(f", row {number}: {len(row)} fields where the header has {len(header)}")
            continue
        values, before = {}, len(faults)
        for name, place in places.items():
            try:
                values[name] = _value(row[place], types[name])
            except ValueError as error:
                faults.append(f", row {number}, column {name}: {row[place][:40]!r}: {error}")
        if len(faults) == before:
            lots.append(Lot(**values))
        lot_id = row[places["lot_id"]]
        if seen.setdefault(lot_id, number) != number:
            text = f"{lot_id!r} is there already, in row {seen[lot_id]}"
            faults.append(f", row {number}, column lot_id: {text}")
    return lots, faults


def _value(text: str, kind: Any) -> Any:
    """Return a cell as a field's type. Raises ValueError where it is none."""
    if not text and kind in (Longitude, Latitude):
        return None
    value = msgspec.convert(text, kind, strict=False)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("is no number")
    return value


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
