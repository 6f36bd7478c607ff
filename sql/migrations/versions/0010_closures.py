"""Lots are closed for a time, and retired.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.execute("""
ALTER TABLE lot
    ADD COLUMN closed_from timestamptz,
    ADD COLUMN closed_until timestamptz,
    ADD COLUMN closed_reason text,
    ADD COLUMN retired_at timestamptz,
    ADD CONSTRAINT lot_closure_check CHECK (
        closed_until > closed_from AND closed_from IS NOT NULL
        OR closed_until IS NULL AND (closed_from IS NOT NULL OR closed_reason IS NULL)
    )
""")


def downgrade() -> None:
    """Remove them, and what stands on them; the release before makes views and trigger again."""
    op.execute("DROP VIEW IF EXISTS space_now, lot_now")
    op.execute("DROP TRIGGER lot_tariffs_changed ON lot")
    op.execute("DROP FUNCTION is_shut")
    op.execute("""
ALTER TABLE lot
    DROP COLUMN closed_from,
    DROP COLUMN closed_until,
    DROP COLUMN closed_reason,
    DROP COLUMN retired_at
""")
