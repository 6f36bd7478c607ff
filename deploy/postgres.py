"""A private PostgreSQL: its cluster made, its command line, its database with PostGIS."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.accounts import HELD, Account
from deploy.ports import LOOPBACK

DEPLOY: Final = Path(__file__).parent
DATABASE: Final = "onelot"
OWNER: Final = "onelot"
APPLICATION: Final = "onelot_app"
PUBLIC: Final = "onelot_public"
OFFICE: Final = "onelot_office"
INGESTER: Final = "onelot_ingest"
ANALYSIS: Final = "onelot_analysis"
LOGINS: Final = "onelot_logins"
SEAL: Final = "onelot_seal"
# The variable in which create_database.sql finds each role's password.
PASSWORDS: Final = {
    OWNER: "ONELOT_DB_PASSWORD",
    APPLICATION: "ONELOT_DB_APP_PASSWORD",
    PUBLIC: "ONELOT_DB_PUBLIC_PASSWORD",
    OFFICE: "ONELOT_DB_OFFICE_PASSWORD",
    INGESTER: "ONELOT_DB_INGEST_PASSWORD",
    ANALYSIS: "ONELOT_DB_ANALYSIS_PASSWORD",
    LOGINS: "ONELOT_DB_LOGINS_PASSWORD",
    SEAL: "ONELOT_DB_SEAL_PASSWORD",
}
SUPERUSER: Final = "postgres"
SYSTEM_USER: Final = "postgres"
_DEBIAN: Final = Path("/usr/lib/postgresql")
_CONTROL: Final = "/usr/share/postgresql/{}/extension/postgis.control"


class PostgresError(Exception):
    """PostgreSQL cannot be set up; the message says why."""


def binaries(directory: Path | None = None) -> Path:
    """Find the directory of `postgres` and `initdb`.

    Args:
        directory: An existing cluster, whose version must be met; else the newest installed
            version that has PostGIS is taken.

    Raises:
        PostgresError: There is none.
    """
    version = directory / "PG_VERSION" if directory else None
    if version and version.exists():
        found = _DEBIAN / version.read_text().strip() / "bin"
        if not (found / "postgres").exists():
            raise PostgresError(
                f"{directory} was made by PostgreSQL {version.read_text().strip()}, "
                "which is no longer installed: install it, or `make clean`"
            )
        return found
    versions = [path.parent.parent.name for path in _DEBIAN.glob("*/bin/postgres")]
    fitting = [int(each) for each in versions if Path(_CONTROL.format(each)).exists()]
    if not fitting:
        raise PostgresError("no PostgreSQL with PostGIS is installed: run `make setup`")
    return _DEBIAN / str(max(fitting)) / "bin"


def initialise(directory: Path, account: Account, superuser_password: str) -> None:
    """Make a cluster at `directory` unless there is one; a half-made one never stays.

    Raises:
        PostgresError: `initdb` failed.
    """
    if (directory / "PG_VERSION").exists():
        return
    fresh = directory.with_name(directory.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700, parents=True)
    account.own(fresh)
    initdb = [
        *(str(binaries() / "initdb"), "-D", HELD, f"--username={SUPERUSER}"),
        *("--auth=scram-sha-256", "--pwfile=/proc/self/fd/0", "--data-checksums"),
        *("--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"),
    ]
    with tempfile.TemporaryFile() as password:
        password.write(superuser_password.encode())
        password.seek(0)
        account.own(password.fileno())
        command = account.holding(fresh, initdb, "TERM")
        done = subprocess.run(command, stdin=password, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PostgresError(f"initdb failed:\n{done.stderr or done.stdout}")
    fresh.rename(directory)


def configure(directory: Path, account: Account) -> None:
    """Copy the configuration into the data directory, so that a changed file takes effect."""
    for name in ("postgresql.conf", "pg_hba.conf"):
        shutil.copyfile(DEPLOY / name, directory / name)
        account.own(directory / name)


def server(directory: Path) -> tuple[str, ...]:
    """Return how the server of the cluster at `directory` is called, before its settings."""
    return (str(binaries(directory) / "postgres"), "-D", HELD, "-c", "unix_socket_directories=")


def settings(configuration: str, address: str, port: int) -> tuple[str, ...]:
    """Return the arguments that place a server: its files, and where it listens."""
    return (
        *("-c", f"config_file={configuration}/postgresql.conf"),
        *("-c", f"hba_file={configuration}/pg_hba.conf"),
        *("-c", f"listen_addresses={address}"),
        *("-c", f"port={port}"),
    )


def is_ready(directory: Path, port: int) -> bool:
    """Ask whether the server accepts connections."""
    command = [str(binaries(directory) / "pg_isready"), "-q", "-h", LOOPBACK, "-p", str(port)]
    return subprocess.run(command, check=False).returncode == 0


def create_database(
    directory: Path, port: int, superuser_password: str, passwords: Mapping[str, str]
) -> None:
    """Create the database with PostGIS, and the roles, where missing.

    Args:
        directory: The data directory of a running cluster.
        port: Where it listens on 127.0.0.1.
        superuser_password: Of `postgres`.
        passwords: Of each role in `PASSWORDS`.

    Raises:
        PostgresError: psql failed.
    """
    environment = {
        **os.environ,
        "PGHOST": LOOPBACK,
        "PGPORT": str(port),
        "PGUSER": SUPERUSER,
        "PGDATABASE": "postgres",
        "PGPASSWORD": superuser_password,
        **{variable: passwords[role] for role, variable in PASSWORDS.items()},
    }
    psql = [
        *(str(binaries(directory) / "psql"), "-X", "-q"),
        *("-f", str(DEPLOY / "create_database.sql")),
    ]
    done = subprocess.run(psql, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PostgresError(f"the database could not be created:\n{done.stderr}")
