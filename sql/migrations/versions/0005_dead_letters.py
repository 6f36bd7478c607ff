"""Count a gateway's recent dead letters by an index: by when they came last, not first.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BEFORE = "dead_letter_gateway_id_received_at_idx"
SINCE = "dead_letter_gateway_id_last_received_at_idx"


def upgrade() -> None:
    """Exchange the index."""
    op.execute(f"CREATE INDEX {SINCE} ON dead_letter (gateway_id, last_received_at)")
    op.execute(f"DROP INDEX {BEFORE}")


def downgrade() -> None:
    """Exchange it again."""
    op.execute(f"CREATE INDEX {BEFORE} ON dead_letter (gateway_id, received_at)")
    op.execute(f"DROP INDEX {SINCE}")
