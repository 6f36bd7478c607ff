import asyncio
from typing import Any

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection
from sqlalchemy.ext.asyncio import create_async_engine

from sql.migrate import downgrade, upgrade
from sql.schema import metadata
from tests.ingest_mqtt.conftest import CITY


def _differences(connection: Connection) -> list[Any]:
    def ours(_item: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:  # noqa: FBT001
        # Partitions and PostGIS's own table are in the database only.
        return not (kind == "table" and reflected and str(name).endswith(("_default", "_sys")))

    context = MigrationContext.configure(
        connection, opts={"include_object": ours, "compare_type": True}
    )
    return list(compare_metadata(context, metadata))


async def test_the_migrations_yield_the_tables(database_url: str) -> None:
    engine = create_async_engine(database_url.replace("postgresql", "postgresql+asyncpg", 1))
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
        checks = await connection.exec_driver_sql(
            "SELECT conrelid::regclass::text || '.' || conname FROM pg_constraint"
            " WHERE contype = 'c' AND conrelid <> 0 AND connamespace = 'public'::regnamespace"
            " AND coninhcount = 0"
        )
        found = {row[0] for row in checks} - {"spatial_ref_sys.spatial_ref_sys_srid_check"}
    await engine.dispose()
    wanted = {
        f"{table.name}.{constraint.name}"
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    assert found == wanted


async def test_down_and_up_again_on_a_populated_database(owner_url: str) -> None:
    db = await asyncpg.connect(owner_url)
    await db.execute(CITY)
    await db.execute("INSERT INTO space_event VALUES ('bays', 1, 'free', now(), now())")
    await asyncio.to_thread(downgrade, owner_url, "base")
    left = await db.fetchval(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND relname NOT IN ('spatial_ref_sys', 'alembic_version')"
    )
    assert left == 0
    await asyncio.to_thread(upgrade, owner_url)
    await db.execute(CITY)
    assert await db.fetchval("SELECT count(*) FROM lot_now WHERE data_state = 'unknown'") == 3
    await db.close()
