"""Every key ends by itself.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keys without an end get one, in a year: so that nobody is locked out by surprise."""
    op.execute(
        "UPDATE api_key SET expires_at = now() + interval '365 days' WHERE expires_at IS NULL"
    )
    op.execute("ALTER TABLE api_key ALTER COLUMN expires_at SET NOT NULL")


def downgrade() -> None:
    """Keys may be without an end again; those that have one keep it."""
    op.execute("ALTER TABLE api_key ALTER COLUMN expires_at DROP NOT NULL")
