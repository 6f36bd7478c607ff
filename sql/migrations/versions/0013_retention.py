"""How long the history is kept at least.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, with what the ingester has kept until now."""
    op.execute(
        """
        CREATE TABLE retention (
            table_name text NOT NULL,
            days integer NOT NULL CONSTRAINT retention_days_check CHECK (days > 0),
            CONSTRAINT retention_pkey PRIMARY KEY (table_name)
        )
        """
    )
    op.execute(
        "INSERT INTO retention VALUES"
        " ('space_event', 30), ('count_event', 30), ('lot_occupancy', 400)"
    )


def downgrade() -> None:
    """Forget it."""
    op.execute("DROP TABLE retention")
