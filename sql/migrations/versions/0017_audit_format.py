"""Who recorded an audit entry, and when, as the database knows it; and what its hash is taken over.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE audit_entry
ADD COLUMN format smallint NOT NULL DEFAULT 1
CONSTRAINT audit_entry_format_check CHECK (format IN (1, 2)),
ADD COLUMN recorded_at timestamptz,
ADD COLUMN recorded_by text,
ADD CONSTRAINT audit_entry_recorded_check CHECK (
    (format = 2) = (recorded_at IS NOT NULL) AND (format = 2) = (recorded_by IS NOT NULL)
)
"""


def upgrade() -> None:
    """Add the columns; entries that are there keep their hashes."""
    op.execute(COLUMNS)
    op.execute("ALTER TABLE audit_entry ALTER COLUMN format DROP DEFAULT")


def downgrade() -> None:
    """Forget them; hashes of the second format can then no longer be verified."""
    op.execute("DROP FUNCTION IF EXISTS add_audit_entry, audit_entry_hash")
    op.execute("""
        ALTER TABLE audit_entry
        DROP COLUMN format, DROP COLUMN recorded_at, DROP COLUMN recorded_by
    """)
