"""What the ingester says of itself, for `/readyz`.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; the application's rights come with it by default."""
    op.execute(
        """
        CREATE TABLE ingester_status (
            ingester text PRIMARY KEY,
            heartbeat_at timestamptz,
            stopped text CONSTRAINT ingester_status_stopped_check
                CHECK (stopped IN ('internal', 'clock')),
            stopped_at timestamptz,
            CONSTRAINT ingester_status_stopped_at_check
                CHECK ((stopped IS NULL) = (stopped_at IS NULL))
        )
        """
    )


def downgrade() -> None:
    """Remove it."""
    op.execute("DROP TABLE ingester_status")
