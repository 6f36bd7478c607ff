"""The migrations make what the classes and the files of `sql.schema` say, and nothing else."""

import asyncio
import subprocess

import asyncpg
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from deploy import postgres
from sql.migrate import AFTER, BEFORE, MIGRATIONS, SCHEMA, compare, on_connection, run_files
from sql.schema import metadata
from tests.servers import Databases


def dump(databases: Databases, url: str) -> str:
    """Return the schema as pg_dump writes it, without the word that is new each time."""
    program = str(postgres.binaries(databases.cluster.directory) / "pg_dump")
    command = [program, "--schema-only", databases.owner_url(url.rpartition("/")[2])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return "".join(
        line
        for line in done.stdout.splitlines(keepends=True)
        if not line.startswith((r"\restrict ", r"\unrestrict "))
    )


def make_tables(connection: Connection) -> None:
    metadata.create_all(connection)
    MigrationContext.configure(connection).stamp(ScriptDirectory(str(MIGRATIONS)), "head")


async def test_the_migrations_yield_the_classes_and_files(
    databases: Databases, database_url: str
) -> None:
    url = await databases.create("template1")
    name = url.rpartition("/")[2]
    superuser = await asyncpg.connect(databases.cluster.url(name))
    await superuser.execute("CREATE EXTENSION postgis")
    await superuser.close()
    owner = databases.owner_url(name)
    await run_files(owner, BEFORE)
    await on_connection(owner, make_tables)
    await run_files(owner, AFTER)
    declared = dump(databases, url)
    await databases.drop(url)
    assert dump(databases, database_url) == declared


async def test_alembic_sees_no_difference(owner_url: str) -> None:
    await asyncio.to_thread(compare, owner_url)


def test_every_file_is_run() -> None:
    assert {path.stem for path in SCHEMA.glob("*.sql")} == {*BEFORE, *AFTER}


async def test_the_files_may_run_again(
    databases: Databases, database_url: str, owner_url: str
) -> None:
    before = dump(databases, database_url)
    await run_files(owner_url, (*BEFORE, *AFTER))
    assert dump(databases, database_url) == before
