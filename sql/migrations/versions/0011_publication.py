"""Who has issued the notice of a tariff version, under which number, and when.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.execute("""
ALTER TABLE tariff_version
ADD COLUMN issuing_office_zh text,
ADD COLUMN issuing_office_en text,
ADD COLUMN document_number text,
ADD COLUMN issued_on date,
ADD CONSTRAINT tariff_version_issuing_office_check
CHECK ((issuing_office_zh IS NULL) = (issuing_office_en IS NULL))
""")


def downgrade() -> None:
    """Remove them."""
    op.execute("""
ALTER TABLE tariff_version
DROP COLUMN issuing_office_zh,
DROP COLUMN issuing_office_en,
DROP COLUMN document_number,
DROP COLUMN issued_on
""")
