"""Past days of occupancy that an import brings, packed.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.execute(
        """
        CREATE TABLE lot_occupancy_day (
            lot_id text NOT NULL,
            day_at timestamptz NOT NULL CONSTRAINT lot_occupancy_day_day_at_check
            CHECK (day_at = date_bin('1 day', day_at, '2000-01-01 00:00:00+00')),
            part smallint NOT NULL,
            capacity integer NOT NULL
            CONSTRAINT lot_occupancy_day_capacity_check CHECK (capacity > 0),
            occupied real[] NOT NULL,
            covered_s real[],
            CONSTRAINT lot_occupancy_day_pkey PRIMARY KEY (lot_id, day_at, part),
            CONSTRAINT lot_occupancy_day_occupied_check CHECK (
                0 <= ALL (occupied) AND capacity >= ALL (occupied) AND cardinality(occupied) = 288
            ),
            CONSTRAINT lot_occupancy_day_covered_s_check CHECK (
                0 < ALL (covered_s) AND 300 >= ALL (covered_s) AND cardinality(covered_s) = 288
            )
        ) PARTITION BY RANGE (day_at)
        """
    )


def downgrade() -> None:
    """Forget what was brought."""
    op.execute("DROP VIEW IF EXISTS lot_history")
    op.execute("DROP TABLE lot_occupancy_day")
