"""Issuing passwords: to the database as hashes, to a file for the gateways, to the broker.

A password stands in clear only in the file, so a gateway that the file lacks, or has with another
password than the database's, gets a new one, unless a person issued or revoked it through the API:
then it is left alone. The files are written within the transaction: should one of them fail, the
database keeps the old hashes, and the next run puts right what is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from parking_api.credentials_file import (
    CredentialsFileError,
    read_credentials,
    write_atomically,
    write_credentials,
)
from parking_api.operators import queries
from parking_api.operators.broker_files import (
    PLATFORM_USERS,
    acl,
    is_password,
    mosquitto_hash,
    new_password,
    new_salt,
    passwd,
)
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


async def issue(db: Db, places: Places, platform: Mapping[str, str]) -> Issued:
    """Give every gateway a password, and tell the file and the broker's files of all of them.

    Args:
        db: A connection.
        places: Where credentials go; both directories must exist.
        platform: The passwords of the platform's own users of the broker, by the user that
            `PLATFORM_USERS` names for each.

    Returns:
        What was done.

    Raises:
        CredentialsFileError: The file is there but cannot be understood; nothing was changed.
        OSError: A file cannot be read or written; the database is as it was.
    """
    async with transaction(db) as within:
        await lock(within, AdvisoryLock.REGISTRATION)
        await lock(within, AdvisoryLock.BROKER_USERS)
        document = read_credentials(places.file)
        known = _passwords(document, places.file)
        gateways = await queries.credentials(within)
        hashes, entries, new = {}, [], 0
        for gateway in gateways:
            name, stored = gateway.gateway_id, gateway.password_hash
            password = known.get(name)
            if gateway.password_by_person:
                # What a person issued, the person alone knows; what one revoked, stays so.
                if stored is not None:
                    hashes[name] = stored
                if password is None or stored is None or not is_password(password, stored):
                    continue
            elif password is None or stored is None or not is_password(password, stored):
                password = new_password()
                stored = mosquitto_hash(password, new_salt())
                await queries.set_password(within, name, stored)
                new += 1
            hashes[name] = stored
            entries.append(Entry(name, password, gateway.lots, gateway.simulated))
        own = {
            user: mosquitto_hash(platform[named], new_salt())
            for user, named in PLATFORM_USERS.items()
        }
        document["gateways"] = msgspec.to_builtins(entries)
        _write(places, document, passwd(own | hashes), acl(hashes))
    return Issued(len(gateways), new)


def _passwords(document: Mapping[str, object], file: Path) -> dict[str, str]:
    try:
        entries = msgspec.convert(document.get("gateways", []), list[Login])
    except msgspec.ValidationError as error:
        raise CredentialsFileError(f"{file} lists no gateways: move it away") from error
    return {entry.username: entry.password for entry in entries}


def _write(places: Places, document: Mapping[str, object], users: str, rights: str) -> None:
    write_credentials(places.file, document)
    for name, content in (("passwd", users), ("acl", rights)):
        write_atomically(places.broker_directory / name, content, BROKER_MODE, like_directory=True)
