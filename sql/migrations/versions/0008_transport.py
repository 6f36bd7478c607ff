"""Each lot's state says how its report came: over MQTT, or posted over HTTP.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; whatever was reported before came over MQTT."""
    op.execute("""
ALTER TABLE lot_state ADD COLUMN transport text NOT NULL DEFAULT 'mqtt'
    CONSTRAINT lot_state_transport_check CHECK (transport IN ('mqtt', 'http'))
""")


def downgrade() -> None:
    """Remove it, and the views that show it; the release before makes them again."""
    op.execute("DROP VIEW IF EXISTS space_now, lot_now")
    op.execute("ALTER TABLE lot_state DROP COLUMN transport")
