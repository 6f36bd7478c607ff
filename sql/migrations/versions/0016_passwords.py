"""Whether a person issued or revoked a gateway's password.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; until now nobody did."""
    op.execute("ALTER TABLE gateway ADD COLUMN password_by_person boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    """Forget it."""
    op.execute("ALTER TABLE gateway DROP COLUMN password_by_person")
