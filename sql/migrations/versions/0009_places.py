"""Named places, which drivers search for.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add their table."""
    op.execute("""
CREATE TABLE place (
    place_id text PRIMARY KEY,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    district text REFERENCES district,
    geog geography(Point, 4326) NOT NULL
)
""")
    op.execute("CREATE INDEX place_district_idx ON place (district)")


def downgrade() -> None:
    """Remove it."""
    op.execute("DROP TABLE place")
