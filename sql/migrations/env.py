"""Alembic's entry: the connection comes from `sql.migrate`, never from a file."""

from functools import cache

from alembic import context
from geoalchemy2.alembic_helpers import render_item
from sqlalchemy import text

from sql.schema import metadata

connection = context.config.attributes["connection"]


@cache
def _others() -> frozenset[str]:
    # Partitions follow their tables; PostGIS has a table of its own.
    others = "SELECT relname FROM pg_class WHERE relispartition OR relname = 'spatial_ref_sys'"
    return frozenset(connection.scalars(text(others)))


def _is_compared(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name not in _others()


context.configure(
    connection=connection,
    target_metadata=metadata,
    transaction_per_migration=True,
    compare_server_default=True,
    include_name=_is_compared,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
