"""Alembic, driven from Python: no ini file, the database named by its caller."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

MIGRATIONS = Path(__file__).parent / "migrations"


async def _run(url: str, action: Callable[[Config], None]) -> None:
    def on_connection(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        action(config)

    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(on_connection)
        await connection.commit()
    await engine.dispose()


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` (`postgresql://...`) up to `revision`."""
    asyncio.run(_run(url, lambda config: command.upgrade(config, revision)))


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` down to `revision`; `base` removes all that is ours."""
    asyncio.run(_run(url, lambda config: command.downgrade(config, revision)))


def current(url: str) -> None:
    """Print the revision that the database at `url` stands at."""
    asyncio.run(_run(url, command.current))
