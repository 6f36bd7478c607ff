"""What the servers' fixtures give to a test: databases and brokers."""

import re
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg

from deploy import broker as mosquitto
from deploy import postgres
from deploy.accounts import program, server_account
from deploy.listeners import Encrypted
from deploy.ports import LOOPBACK
from parking_api.operators.broker_files import (
    PLATFORM_USERS,
    SALT_BYTES,
    acl,
    mosquitto_hash,
)
from sql.engine import Db
from sql.statements import DECLARED, Declared
from tests.running import Cluster, RunningBroker, running_broker

DB_PASSWORDS: Final = {role: f"test-{role}" for role in postgres.PASSWORDS}
_SALT: Final = bytes(SALT_BYTES)


@dataclass(frozen=True)
class Databases:
    """Makes databases in the session's cluster, owned by the role `onelot`."""

    cluster: Cluster

    def url(self, name: str) -> str:
        """The URL of database `name` for the programs."""
        return self.as_role(postgres.APPLICATION, name)

    def owner_url(self, name: str) -> str:
        """The URL of database `name` for its owner."""
        return self.as_role(postgres.OWNER, name)

    def as_role(self, role: str, name: str) -> str:
        """The URL of database `name` for a role."""
        return self.cluster.url(name, role, DB_PASSWORDS[role])

    async def create(self, template: str = postgres.DATABASE, name: str | None = None) -> str:
        """Clone `template` (the migrated, empty database; nobody may be connected to it)."""
        name = name or f"test_{uuid4().hex}"
        async with self._connected() as connection:
            # Three times as fast as by the log, which version 15 brought and prefers.
            newer = connection.get_server_version().major >= 15
            await connection.execute(
                f'CREATE DATABASE {name} TEMPLATE "{template}" OWNER onelot'
                f"{' STRATEGY file_copy' if newer else ''}"
            )
            # Rights to a database are no part of its template.
            await connection.execute(
                f"REVOKE TEMPORARY ON DATABASE {name} FROM public;"
                f"GRANT TEMPORARY ON DATABASE {name} TO {postgres.APPLICATION}"
            )
        return self.url(name)

    async def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected."""
        async with self._connected() as connection:
            name = url.rpartition("/")[2]
            await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def dump(self, url: str) -> str:
        """The schema as pg_dump writes it: of `public`, without the word that is new each time."""
        program = str(postgres.binaries(self.cluster.directory) / "pg_dump")
        command = [
            program,
            "--schema-only",
            "--schema=public",
            self.owner_url(url.rpartition("/")[2]),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return re.sub(r"(?m)^\\(un)?restrict .*\n", "", done.stdout)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Db]:
        connection = await asyncpg.connect(self.cluster.url("postgres"))
        try:
            yield connection
        finally:
            await connection.close()


def as_role(url: str, role: str) -> str:
    """Return a URL of a database of these tests, for another role."""
    return re.sub(r"//[^@]*@", f"//{role}:{DB_PASSWORDS[role]}@", url)


def api_environment(url: str) -> dict[str, str]:
    """The settings by which the API, in one process, uses a database of these tests."""
    return {
        "DATABASE_URL": as_role(url, postgres.PUBLIC),
        "API_OFFICE_DATABASE_URL": as_role(url, postgres.OFFICE),
    }


@dataclass
class Broker:
    """A private broker whose users a test may choose; it can be stopped and started again.

    Every user's password is `secret-` and its name.
    """

    directory: Path
    port: int
    users: set[str] = field(default_factory=lambda: set(PLATFORM_USERS))
    host: str = LOOPBACK
    tls: Encrypted | None = None
    _running: ExitStack = field(default_factory=ExitStack)
    _server: RunningBroker | None = None

    @property
    def platform_ingest(self) -> str:
        """The ingester's URL, `mqtt://user:password@host:port`."""
        return self.url("platform-ingest")

    @property
    def platform_api(self) -> str:
        """The API's URL."""
        return self.url("platform-api")

    @property
    def platform_push(self) -> str:
        """The URL of the API's user that hands on reports."""
        return self.url("platform-push")

    def url(self, user: str) -> str:
        """A user's URL."""
        return f"mqtt://{user}:{self.password(user)}@{self.host}:{self.port}"

    def password(self, user: str) -> str:
        """A user's password; those of the API share one, and those that hand on reports."""
        return f"secret-{PLATFORM_USERS.get(user, user)}"

    def add_users(self, *names: str) -> None:
        """Let gateways (or others) in; they may log in when this returns."""
        self.users.update(names)
        self._write_users()
        if self._server is not None:
            self._server.reload()
            for name in names:
                self._await_login(name)

    def lift_rights(self) -> None:
        """Let everybody who has a password publish and hear everything."""
        assert self._server is not None
        (self.directory / "acl").write_text("pattern readwrite #\n")
        self._server.reload()

    def start(self) -> None:
        """Start the broker with what its directory holds."""
        self.directory.mkdir(exist_ok=True)
        self._write_users()
        account = server_account(mosquitto.SYSTEM_USER)
        server = running_broker(self.directory, account, self.port, self.tls)
        self._server = self._running.enter_context(server)

    def stop(self) -> None:
        """Stop it as a shutdown would: sessions and retained messages are kept."""
        self._server = None
        self._running.close()

    def pause(self) -> None:
        """Have it do nothing, with all connections open, until `go_on`."""
        assert self._server is not None
        self._server.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End a pause."""
        assert self._server is not None
        self._server.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it as a crash would: what came since its last save is lost."""
        assert self._server is not None
        self._server.process.kill()
        self.stop()

    def _write_users(self) -> None:
        lines = [f"{n}:{mosquitto_hash(self.password(n), _SALT)}" for n in sorted(self.users)]
        (self.directory / "passwd").write_text("\n".join(lines) + "\n")
        gateways = self.users - PLATFORM_USERS.keys()
        (self.directory / "acl").write_text(acl(sorted(gateways)))

    def _await_login(self, name: str) -> None:
        login = [program("mosquitto_sub"), "-h", self.host, "-p", str(self.port), "-E"]
        login += ["-u", name, "-P", self.password(name), "-t", f"onelot/v1/acks/{name}/#"]
        deadline = time.monotonic() + 5.0
        while subprocess.run(login, capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, f"{name} cannot log in"
            time.sleep(0.02)


def declared(name: str) -> Declared:
    """Find a statement that the programs send, such as `lots.nearest_lots`."""
    return next(one for one in DECLARED if f"{one.domain}.{one.name}" == name)


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """A plan as EXPLAIN (FORMAT JSON) gives it, and every plan below it."""
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]
