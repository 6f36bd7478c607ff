"""Falls of the real database, and how it gets up: killed, without room, after a power cut."""

import asyncio
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy import leftovers, postgres
from deploy.accounts import server_account
from deploy.checks import wait_until
from deploy.configuration import Program
from deploy.directory import Directory
from deploy.keeper import Keeper, Layout
from deploy.local import local_layout, local_place
from deploy.ports import any_free
from deploy.services import NOW, Place, moved
from tests.running import Cluster

WAIT_S = 60.0
# Counts for hours, and looks neither at signals of its client nor at the postmaster's death.
ENDLESS = "SELECT count(*) FROM generate_series(1, 100000000000)"


@dataclass
class Database:
    """A real cluster below `var`, kept running as the demo keeps its own."""

    var: Directory
    # In blocks of 512 bytes; what a file may grow to, read at each start.
    room: Path
    said: list[str] = field(default_factory=list)
    _keeper: Keeper | None = None

    @property
    def keeper(self) -> Keeper:
        assert self._keeper is not None
        return self._keeper

    def make(self) -> None:
        account = server_account(postgres.SYSTEM_USER)
        self.var.make()
        postgres.initialise(self.var.postgres, account, self.var.secrets().database_superuser)
        postgres.configure(self.var.postgres, account)
        self.room.write_text("unlimited")

    def start(self) -> None:
        self.said.clear()
        plan = local_layout(self.var, self.var.secrets(), NOW)
        place = moved(local_place(self.var), "database", any_free())
        limited = Layout(lambda at: self._limited(plan, at), plan.prepare)
        self._keeper = Keeper(
            self.var, self.var.path, place, limited, self.said.append, first_wait_s=0.1
        )
        self._keeper.launch("database")
        wait_until(self.is_ready, "the database", WAIT_S)

    def _limited(self, plan: Layout, at: Place) -> list[Program]:
        """Put the database alone, as its room allows; the others are not started."""
        limit = f'ulimit -f "$(cat {self.room})" && exec "$@"'
        database = plan.programs(at)[0]
        return [replace(database, argv=("sh", "-c", limit, "sh", *database.argv))]

    def is_ready(self) -> bool:
        return bool(self.keeper.processes()) and postgres.is_ready(
            self.var.postgres, self.keeper.place.database.port
        )

    def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.stop()
        self._keeper = None

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        at, secrets = self.keeper.place.database, self.var.secrets()
        cluster = Cluster(self.var.postgres, at.port, secrets.database_superuser)
        return await asyncpg.connect(cluster.url("postgres"))

    async def fetch(self, query: str) -> object:
        connection = await self.connect()
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    @contextmanager
    def computing(self) -> Iterator[psutil.Process]:
        """Have a backend compute for ever; the backend's process."""

        async def compute(found: list[int], begun: threading.Event) -> None:
            connection = await self.connect()
            found.append(connection.get_server_pid())
            begun.set()
            await connection.execute(ENDLESS)

        def run() -> None:
            with pytest.raises((asyncpg.PostgresError, OSError, asyncpg.InterfaceError)):
                asyncio.run(compute(found, begun))

        found: list[int] = []
        begun = threading.Event()
        thread = threading.Thread(target=run)
        thread.start()
        assert begun.wait(WAIT_S)
        backend = psutil.Process(found[0])
        try:
            wait_until(lambda: "SELECT" in " ".join(backend.cmdline()), "the query", WAIT_S)
            yield backend
        finally:
            leftovers.kill([backend])
            thread.join(WAIT_S)
        assert not thread.is_alive()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(Directory(tmp_path / "var"), tmp_path / "room")
    made.make()
    yield made
    made.stop()


def test_database_gets_up_from_everything_that_kills_it(database: Database) -> None:
    """One cluster for all of it: making one takes longer than its falls."""
    database.start()
    _postmaster_killed_while_a_query_computes(database)
    _no_room_for_the_log(database)
    _everything_killed_at_once(database)
    _process_number_taken_by_another(database)


def _postmaster_killed_while_a_query_computes(database: Database) -> None:
    with database.computing() as backend:
        psutil.Process(database.keeper.processes()["database"]).kill()
        wait_until(lambda: bool(database.keeper.restarts()["database"]), "a restart", WAIT_S)
        wait_until(database.is_ready, "the database", WAIT_S)
        assert not backend.is_running()
    assert database.keeper.restarts() == {"database": 1}
    assert "pre-existing shared memory" not in database.var.log("database").read_text()


def _no_room_for_the_log(database: Database) -> None:
    """Files that cannot grow are a full disk for whoever writes, also where none can be mounted."""
    write = "SELECT pg_logical_emit_message(true, 'test', 'x')"
    assert asyncio.run(database.fetch(write)) is not None
    database.room.write_text("8")
    family = psutil.Process(database.keeper.processes()["database"])
    account = server_account(postgres.SYSTEM_USER)
    for process in [family, *family.children()]:
        # As its own user, who may: root may not everywhere. A worker can have ended meanwhile.
        prlimit = ["prlimit", "--fsize=4096", "--pid", str(process.pid)]
        done = subprocess.run(account.inside(Path("/"), prlimit, "KILL"), check=False)
        assert done.returncode == 0 or not process.is_running()
    with pytest.raises((asyncpg.PostgresError, OSError, asyncpg.InterfaceError)):
        asyncio.run(database.fetch(write))
    wait_until(lambda: database.keeper.failures() >= 5, "failures in a row", WAIT_S)
    assert "File too large" in database.var.log("database").read_text()
    assert any("in a row; the last lines of" in line for line in database.said)
    database.room.write_text("unlimited")
    wait_until(database.is_ready, "the database, with room", WAIT_S)
    assert asyncio.run(database.fetch(write)) is not None


def _everything_killed_at_once(database: Database) -> None:
    """Nobody is left who could know a parent; the query still holds the shared memory."""
    with database.computing() as backend:
        database.keeper._ended.set()
        database.keeper._thread.join()
        supervisord = psutil.Process(int(database.var.supervisor_pid.read_text()))
        postmaster = psutil.Process(database.keeper.processes()["database"])
        supervisord.suspend()
        for process in (postmaster, supervisord):
            process.kill()
        wait_until(lambda: backend.ppid() not in {postmaster.pid, supervisord.pid}, "", WAIT_S)
        assert backend.is_running()
        database.start()
        assert not backend.is_running()
    assert "pre-existing shared memory" not in database.var.log("database").read_text()


def _process_number_taken_by_another(database: Database) -> None:
    """As after the machine was switched off: the lock names a process that is not PostgreSQL.

    PostgreSQL asks only whether a process of its own user has the number.
    """
    lock = database.var.postgres / "postmaster.pid"
    written = lock.read_text()
    database.stop()
    account = server_account(postgres.SYSTEM_USER)
    stranger = subprocess.Popen(account.inside(Path("/"), ["sleep", "1000"], "KILL"))
    try:
        _, _, rest = written.partition("\n")
        lock.write_text(f"{stranger.pid}\n{rest}")
        account.own(lock)
        database.start()
        assert stranger.poll() is None
        assert database.keeper.restarts() == {"database": 0}
    finally:
        stranger.kill()
        stranger.wait()


def test_a_cluster_whose_postmaster_lives_is_left_alone(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "_SHUTDOWN_WITHIN_S", 0.1)
    lock = cluster.directory / "postmaster.pid"
    before = lock.read_text()
    account = server_account(postgres.SYSTEM_USER)
    read = leftovers.read_lock(lock)
    assert read is not None
    assert read.pid in {process.pid for process in leftovers.attached(read, account)}
    leftovers.clear_cluster(cluster.directory, account)
    assert lock.read_text() == before
    assert psutil.pid_exists(read.pid)


def test_a_block_of_memory_of_the_same_number_is_not_taken_for_the_clusters(
    cluster: Cluster,
) -> None:
    read = leftovers.read_lock(cluster.directory / "postmaster.pid")
    assert read is not None
    account = server_account(postgres.SYSTEM_USER)
    for other in (replace(read, key=read.key + 1), replace(read, pid=os.getpid())):
        assert leftovers.attached(other, account) == []
