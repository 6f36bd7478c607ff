"""The servers of the suite: a private PostgreSQL with PostGIS and private brokers, on free ports.

They are started by the code and configured by the files of `deploy`, as the local run's are. One
cluster serves each process that runs tests, with one database migrated once; a test's own database
is a clone of that. A broker starts in hundredths of a second, so that each test has a fresh one.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from deploy import postgres
from deploy.accounts import server_account
from deploy.ports import any_free
from tests.running import Cluster, running_postgres
from tests.servers import DB_PASSWORDS, Broker, Databases

# A shell starts what runs in the background deaf to Ctrl-C, and programs of tests would inherit it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

MEMORY = "/dev/shm"
# Each process that runs tests has a cluster of some 500 MB.
ROOMY_BYTES = 8_000_000_000

# Directories of tests that run whole cities: some minutes each.
_LONG = {"load_tests", "end_to_end"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long tests: at the end one process alone would run the last of them."""
    items.sort(key=lambda item: item.path.parent.name not in _LONG)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A private PostgreSQL; not durable, since nothing of it outlives the session."""
    directory = _room(tmp_path_factory)
    account = server_account(postgres.SYSTEM_USER)
    fast = {"fsync": "off", "full_page_writes": "off", "max_connections": "100"}
    fast["max_wal_size"] = "256MB"
    port = any_free()
    with running_postgres(directory, account, port, "test-superuser", extra=fast) as running:
        postgres.create_database(
            running.directory,
            running.port,
            running.superuser_password,
            DB_PASSWORDS,
        )
        yield running
    shutil.rmtree(directory.parent, ignore_errors=True)


def _room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in memory where there is plenty: databases are cloned in a fifth of the time."""
    with suppress(OSError):
        free = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
        if free > ROOMY_BYTES:
            return Path(tempfile.mkdtemp(prefix="onelot-test-", dir=MEMORY)) / "data"
    return tmp_path_factory.mktemp("postgres") / "data"


@pytest.fixture(scope="session")
def databases(cluster: Cluster) -> Databases:
    """The maker of databases; its template has been migrated to the head."""
    made = Databases(cluster)
    environment = {**os.environ, "DATABASE_URL": made.owner_url(postgres.DATABASE)}
    upgrade = [sys.executable, "-m", "sql", "upgrade"]
    done = subprocess.run(upgrade, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """A test's own database, migrated and empty, as the programs use it: by `onelot_app`."""
    url = await databases.create()
    yield url
    await databases.drop(url)


@pytest.fixture
def owner_url(databases: Databases, database_url: str) -> str:
    """The same database as `database_url`, by its owner, who migrates it: `onelot`."""
    return databases.owner_url(database_url.rpartition("/")[2])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A fresh broker with the platform's two users; `add_users` lets gateways in."""
    made = Broker(tmp_path / "broker", any_free())
    made.start()
    yield made
    made.stop()
