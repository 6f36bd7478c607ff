"""The ingester says how many observations it has applied.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the next heartbeat fills it."""
    op.execute("ALTER TABLE ingester_status ADD COLUMN observations bigint")


def downgrade() -> None:
    """Forget it."""
    op.execute("ALTER TABLE ingester_status DROP COLUMN observations")
