"""Falls of the real servers, and how they get up: killed, without room, with a broken store."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy import broker as mosquitto
from deploy import leftovers, postgres
from deploy.accounts import program, server_account
from deploy.checks import wait_until
from deploy.configuration import Program
from deploy.directory import Directory
from deploy.keeper import Keeper, Layout
from deploy.local import local_layout, local_place
from deploy.ports import any_free
from deploy.services import Place, moved
from tests.servers import Broker

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
        plan = local_layout(self.var, self.var.secrets(), "1")
        place = moved(local_place(self.var), "database", any_free())
        limited = Layout(lambda at: self._limited(plan, at), plan.prepare)
        self._keeper = Keeper(
            self.var, self.var.path, place, limited, self.said.append, first_wait_s=0.1
        )
        self._keeper.launch("database")
        wait_until(self.is_ready, f"the database: {self.said}", WAIT_S)

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
        cluster = postgres.Cluster(self.var.postgres, at.port, secrets.database_superuser)
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
        wait_until(lambda: "SELECT" in " ".join(backend.cmdline()), "the query", WAIT_S)
        yield backend
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
        # As its own user, who may: root may not everywhere.
        prlimit = ["prlimit", "--fsize=4096", "--pid", str(process.pid)]
        subprocess.run(account.inside(Path("/"), prlimit, "KILL"), check=True)
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
    cluster: postgres.Cluster, monkeypatch: pytest.MonkeyPatch
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
    cluster: postgres.Cluster,
) -> None:
    read = leftovers.read_lock(cluster.directory / "postmaster.pid")
    assert read is not None
    account = server_account(postgres.SYSTEM_USER)
    for other in (replace(read, key=read.key + 1), replace(read, pid=os.getpid())):
        assert leftovers.attached(other, account) == []


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store with a retained message, as a broker writes it when it ends."""
    made = Broker(tmp_path_factory.mktemp("store") / "broker", any_free())
    made.start()
    retain(made, "onelot/v1/state/a", "kept")
    made.stop()
    return (made.directory / mosquitto.STORE).read_bytes()


def retain(broker: Broker, topic: str, payload: str) -> None:
    login = ["-h", broker.host, "-p", str(broker.port), "-u", "platform-ingest", "-q", "1"]
    login += ["-P", broker.password("platform-ingest")]
    command = ["mosquitto_pub", *login, "-r", "-t", topic, "-m", payload]
    subprocess.run(command, check=True)


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda store: store[:0],
    "one byte": lambda store: store[:1],
    "cut in its head": lambda store: store[:20],
    "cut in the middle": lambda store: store[: len(store) * 2 // 3],
    "cut at its end": lambda store: store[:-1],
    "garbled": lambda store: bytes(byte ^ 0x5A for byte in store),
    "of another version": lambda store: store[:19] + b"\x63" + store[20:],
    "text": lambda store: b"not a store at all\n" * len(store),
}


@pytest.mark.parametrize("kind", [*BROKEN, "not to be opened"])
def test_a_store_that_cannot_be_read_is_put_aside(broker: Broker, store: bytes, kind: str) -> None:
    broker.stop()
    file = broker.directory / mosquitto.STORE
    content = BROKEN[kind](store) if kind in BROKEN else store
    file.unlink(missing_ok=True)
    file.write_bytes(content)
    account = server_account(mosquitto.SYSTEM_USER)
    account.own(file)
    if kind == "not to be opened":
        file.chmod(0)
    broker.start()
    aside = mosquitto.put_aside(broker.directory)
    assert [one.read_bytes() for one in aside] == [content]
    log = broker.directory.with_name("broker.log").read_text()
    assert f"store cannot be read: put aside as {aside[0].name}" in log
    retain(broker, "onelot/v1/state/b", "works")
    broker.stop()
    assert file.stat().st_size > 0


def test_a_store_that_can_be_read_is_used_and_nothing_is_left_beside_it(
    broker: Broker, store: bytes
) -> None:
    broker.stop()
    (broker.directory / mosquitto.STORE).write_bytes(store)
    broker.start()
    login = ["-h", broker.host, "-p", str(broker.port), "-u", "platform-api", "-q", "1"]
    login += ["-P", broker.password("platform-api"), "-t", "onelot/v1/state/a", "-C", "1"]
    done = subprocess.run(
        ["mosquitto_sub", *login, "-W", "10"], capture_output=True, text=True, check=False
    )
    assert done.stdout == "kept\n"
    assert mosquitto.put_aside(broker.directory) == []
    assert not list(broker.directory.glob("trial*"))


def test_a_store_is_not_blamed_for_a_mosquitto_that_cannot_start_at_all(
    tmp_path: Path, store: bytes
) -> None:
    (tmp_path / mosquitto.STORE).write_bytes(store)
    script = Path(mosquitto.__file__).with_name(mosquitto.SCRIPT)
    done = subprocess.run(["sh", script, "false"], cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert (tmp_path / mosquitto.STORE).read_bytes() == store


def test_a_store_on_which_mosquitto_crashes_is_put_aside(tmp_path: Path, store: bytes) -> None:
    """Some garbled stores crash some versions."""
    fragile = tmp_path / "fragile"
    fragile.write_text(
        '#!/bin/sh\nif grep -qs "persistence true" "$2"; then kill -SEGV $$; fi\n'
        f"""if grep -qs listener "$2"; then exec '{program("mosquitto")}' "$@"; fi\n"""
    )
    fragile.chmod(0o755)
    script = Path(mosquitto.__file__).with_name(mosquitto.SCRIPT)
    work = tmp_path / "work"
    work.mkdir(mode=0o777)
    work.chmod(0o777)
    (work / mosquitto.STORE).write_bytes(store)
    # The trial without a store is the real one; the broker itself ends at once.
    done = subprocess.run(["sh", script, fragile], cwd=work, check=False)
    assert done.returncode == 0
    assert [one.read_bytes() for one in mosquitto.put_aside(work)] == [store]


def test_the_newest_three_stores_are_kept(broker: Broker) -> None:
    broker.stop()
    for day in range(1, 6):
        (broker.directory / f"{mosquitto.STORE}.unreadable-2026110{day}T000000Z").write_bytes(b"x")
    (broker.directory / mosquitto.STORE).write_bytes(b"broken")
    broker.start()
    aside = mosquitto.put_aside(broker.directory)
    assert [one.name[-16:-8] for one in aside[:2]] == ["20261104", "20261105"]
    assert aside[2].read_bytes() == b"broken"
    assert len(aside) == 3


def test_a_stop_in_the_middle_of_the_trial_leaves_no_broker(tmp_path: Path) -> None:
    """The trial hangs: its mosquitto neither ends nor listens."""
    hanging = tmp_path / "hanging"
    hanging.write_text(f"#!{sys.executable}\nimport signal\nwhile True:\n    signal.pause()\n")
    hanging.chmod(0o755)
    (tmp_path / mosquitto.STORE).write_bytes(b"something")
    script = Path(mosquitto.__file__).with_name(mosquitto.SCRIPT)
    process = subprocess.Popen(["sh", script, hanging], cwd=tmp_path)
    wait_until(lambda: bool(psutil.Process(process.pid).children()), "the trial", WAIT_S)
    wait_until((tmp_path / "trial.conf").exists, "the trial", WAIT_S)
    children = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGTERM)
    assert process.wait(WAIT_S) == 1
    _, left = psutil.wait_procs(children, timeout=WAIT_S)
    assert left == []
