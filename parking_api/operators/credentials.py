"""Issuing passwords: to the database as hashes, to a file for the gateways, to the broker.

A password stands in clear only in the file, so a gateway that the file lacks, or has with another
password than the database's, gets a new one. The files are written within the transaction: should
one of them fail, the database keeps the old hashes, and the next run puts right what is left.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from parking_api.credentials_file import FILE_MODE, CredentialsFileError, write_atomically
from parking_api.operators import queries
from parking_api.operators.broker_files import API_USER, INGEST_USER, acl, passwd
from parking_api.operators.passwords import is_password, mosquitto_hash, new_password, new_salt
from sql.engine import AdvisoryLock, Db, lock, transaction

BROKER_MODE: Final = 0o640


@dataclass(frozen=True)
class Places:
    """Where credentials go.

    Attributes:
        file: The JSON file for the gateways' side, mode 0600.
        broker_directory: Gets `passwd` and `acl`, mode 0640, as its owner's.
    """

    file: Path
    broker_directory: Path


@dataclass(frozen=True)
class PlatformPasswords:
    """The passwords of the platform's own users of the broker."""

    ingest: str
    api: str


@dataclass(frozen=True)
class Randomness:
    """Where passwords and salts come from."""

    password: Callable[[], str] = new_password
    salt: Callable[[], bytes] = new_salt


class Login(msgspec.Struct, frozen=True):
    """How a gateway logs in."""

    username: str
    password: str


class Entry(Login, frozen=True):
    """A gateway in the file."""

    lots: list[str]
    simulated: bool


@dataclass(frozen=True)
class Issued:
    """How many gateways there are, and how many of them were given a password now."""

    gateways: int
    new: int


async def issue(
    db: Db, places: Places, platform: PlatformPasswords, randomness: Randomness | None = None
) -> Issued:
    """Give every gateway a password, and tell the file and the broker's files of all of them.

    Args:
        db: A connection.
        places: Where credentials go; both directories must exist.
        platform: The platform's own passwords.
        randomness: Where passwords and salts come from; default the system's.

    Returns:
        What was done.

    Raises:
        CredentialsFileError: The file is there but cannot be understood; nothing was changed.
        OSError: A file cannot be read or written; the database is as it was.
    """
    source = randomness or Randomness()
    async with transaction(db) as within:
        await lock(within, AdvisoryLock.REGISTRATION)
        document = _read(places.file)
        known = _passwords(document, places.file)
        gateways = await queries.credentials(within)
        hashes, entries, new = {}, [], 0
        for gateway in gateways:
            name, stored = gateway.gateway_id, gateway.password_hash
            password = known.get(name)
            if password is None or stored is None or not is_password(password, stored):
                password = source.password()
                stored = mosquitto_hash(password, source.salt())
                await queries.set_password(within, name, stored)
                new += 1
            hashes[name] = stored
            entries.append(Entry(name, password, gateway.lots, gateway.simulated))
        own = {INGEST_USER: platform.ingest, API_USER: platform.api}
        users = {name: mosquitto_hash(password, source.salt()) for name, password in own.items()}
        document["gateways"] = msgspec.to_builtins(entries)
        _write(places, document, passwd(users | hashes), acl(hashes))
    return Issued(len(gateways), new)


def _read(file: Path) -> dict[str, object]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise CredentialsFileError(f"{file} is not JSON: move it away") from error
    if not isinstance(document, dict):
        raise CredentialsFileError(f"{file} is not a JSON object: move it away")
    return document


def _passwords(document: Mapping[str, object], file: Path) -> dict[str, str]:
    try:
        entries = msgspec.convert(document.get("gateways", []), list[Login])
    except msgspec.ValidationError as error:
        raise CredentialsFileError(f"{file} lists no gateways: move it away") from error
    return {entry.username: entry.password for entry in entries}


def _write(places: Places, document: Mapping[str, object], users: str, rights: str) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    write_atomically(places.file, text, FILE_MODE)
    for name, content in (("passwd", users), ("acl", rights)):
        path = places.broker_directory / name
        write_atomically(path, content, BROKER_MODE, like_directory=True)
