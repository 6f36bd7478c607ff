"""Migrations of the schema: Alembic driven from Python, without an ini file.

Every `upgrade` runs the files `BEFORE`, the migrations, then the files `AFTER`, each of which may
run again at any time. The rules for changing the schema stand in `docs/design.md`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from sql.engine import SentenceError, connected

MIGRATIONS: Final = Path(__file__).parent / "migrations"
SCHEMA: Final = Path(__file__).parent / "schema"
BEFORE: Final = ("cluster",)
# Readers of the views wait while these are replaced: so they come after what may have to wait.
AFTER: Final = ("partitions", "functions", "history", "triggers", "views", "grants")


class RevisionUnknownError(Exception):
    """The database is at a revision that no migration of this release leads on from."""

    def __init__(self, revision: str) -> None:
        """Name the revision, and the way out."""
        super().__init__(
            f"the database is at revision {revision}, which this release does not know: upgrade it"
            " with the release before this one first, or, if a newer one has upgraded it, use that"
        )


class NotOwnerError(SentenceError):
    """Only the owner may change the schema: name the database by its owner's URL."""


# insufficient_privilege
_FORBIDDEN: Final = "42501"


@asynccontextmanager
async def _as_owner() -> AsyncIterator[None]:
    """Do what only the owner may.

    Raises:
        NotOwnerError: The database refuses it to this role.
    """
    try:
        yield
    except (asyncpg.PostgresError, DBAPIError) as error:
        refusal = error.orig if isinstance(error, DBAPIError) else error
        if getattr(refusal, "sqlstate", None) == _FORBIDDEN:
            raise NotOwnerError from error
        raise


async def on_connection(url: str, action: Callable[[Connection], None]) -> None:
    """Run `action` on a connection to `url`, and commit."""
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(action)
        await connection.commit()


async def run_files(url: str, names: tuple[str, ...]) -> None:
    """Run the files `sql/schema/NAME.sql` in the database at `url`, in one transaction."""
    async with connected(url, "sql") as db, db.transaction():
        for name in names:
            await db.execute((SCHEMA / f"{name}.sql").read_text())


def _refuse_unknown(connection: Connection) -> None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if revision is not None and revision not in known:
        raise RevisionUnknownError(revision)


def _refuse_others(connection: Connection) -> None:
    if not connection.scalar(text("SELECT has_schema_privilege('public', 'CREATE')")):
        raise NotOwnerError


async def _alembic(
    url: str,
    action: Callable[[Config], None],
    before: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
) -> None:
    def configured(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        action(config)

    async with _as_owner():
        await on_connection(url, _refuse_unknown)
        if before:
            # Some of what the files say is done to whoever runs them.
            await on_connection(url, _refuse_others)
        await run_files(url, before)
        await on_connection(url, configured)
        await run_files(url, after)


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database at `url` (`postgresql://...`) up to `revision`.

    Raises:
        RevisionUnknownError: It stands at none of ours; it is left as it is.
        NotOwnerError: `url` is not that of its owner.
    """
    after = AFTER if revision == "head" else ()
    asyncio.run(_alembic(url, lambda config: command.upgrade(config, revision), BEFORE, after))


def downgrade(url: str, revision: str) -> None:
    """Migrate the database at `url` down to `revision`; `base` removes all that is ours."""
    asyncio.run(_alembic(url, lambda config: command.downgrade(config, revision)))


def current(url: str) -> None:
    """Print the revision of the database at `url`."""
    asyncio.run(_alembic(url, command.current))


def head() -> str:
    """Return the number of the newest migration."""
    return str(ScriptDirectory(str(MIGRATIONS)).get_current_head())


# What is written is as our linter wants it.
_HOOKS: Final = {
    "hooks": "fix, format",
    "fix.type": "module",
    "fix.module": "ruff",
    "fix.options": "check --quiet --fix-only REVISION_SCRIPT_FILENAME",
    "format.type": "module",
    "format.module": "ruff",
    "format.options": "format --quiet REVISION_SCRIPT_FILENAME",
}


def revise(url: str, message: str) -> None:
    """Write the next migration: from the tables at `url`, which is at the head, to the classes.

    Its author completes it: Alembic sees no checks, no storage parameters and no data.
    """

    def write(config: Config) -> None:
        for name, value in _HOOKS.items():
            config.set_section_option("post_write_hooks", name, value)
        command.revision(config, message, autogenerate=True, rev_id=f"{int(head()) + 1:04d}")

    asyncio.run(_alembic(url, write))


def compare(url: str) -> None:
    """Compare the tables at `url`, which is at the head, with the classes.

    Raises:
        AutogenerateDiffsDetected: They differ.
    """
    asyncio.run(_alembic(url, command.check))
