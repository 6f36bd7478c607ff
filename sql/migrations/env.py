"""Alembic's entry: the connection comes from `sql.migrate`, never from a file."""

from alembic import context

from sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
