"""Past days of what feeds have written, packed.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.execute(
        """
        CREATE TABLE lot_occupancy_fed (
            lot_id text NOT NULL,
            day_at timestamptz NOT NULL,
            capacity integer[] NOT NULL,
            covered_s double precision[] NOT NULL,
            free_space_s double precision[] NOT NULL,
            free_last integer[] NOT NULL,
            free_min integer[] NOT NULL,
            free_max integer[] NOT NULL,
            full_s double precision[] NOT NULL,
            space_s double precision[] NOT NULL,
            known_space_s double precision[] NOT NULL,
            CONSTRAINT lot_occupancy_fed_pkey PRIMARY KEY (lot_id, day_at),
            CONSTRAINT lot_occupancy_fed_day_at_check
            CHECK (day_at = date_bin('1 day', day_at, '2000-01-01 00:00:00+00')),
            CONSTRAINT lot_occupancy_fed_capacity_check CHECK (cardinality(capacity) = 288),
            CONSTRAINT lot_occupancy_fed_covered_s_check CHECK (cardinality(covered_s) = 288),
            CONSTRAINT lot_occupancy_fed_free_space_s_check CHECK (cardinality(free_space_s) = 288),
            CONSTRAINT lot_occupancy_fed_free_last_check CHECK (cardinality(free_last) = 288),
            CONSTRAINT lot_occupancy_fed_free_min_check CHECK (cardinality(free_min) = 288),
            CONSTRAINT lot_occupancy_fed_free_max_check CHECK (cardinality(free_max) = 288),
            CONSTRAINT lot_occupancy_fed_full_s_check CHECK (cardinality(full_s) = 288),
            CONSTRAINT lot_occupancy_fed_space_s_check CHECK (cardinality(space_s) = 288),
            CONSTRAINT lot_occupancy_fed_known_space_s_check
            CHECK (cardinality(known_space_s) = 288)
        ) PARTITION BY RANGE (day_at)
        """
    )


def downgrade() -> None:
    """Unpack the days."""
    op.execute("DROP VIEW IF EXISTS lot_history")
    op.execute("DROP FUNCTION IF EXISTS pack_steps, empty_partition")
    op.execute(
        """
        INSERT INTO lot_occupancy AS o (
            lot_id, step_at, capacity, covered_s, free_space_s, free_last, free_min, free_max,
            full_s, space_s, known_space_s
        )
        SELECT p.lot_id, p.day_at + (s.place - 1) * interval '300 s',
            s.capacity, s.covered_s, s.free_space_s, s.free_last, s.free_min, s.free_max,
            s.full_s, s.space_s, s.known_space_s
        FROM lot_occupancy_fed AS p
        CROSS JOIN LATERAL unnest(
            p.capacity, p.covered_s, p.free_space_s, p.free_last, p.free_min, p.free_max,
            p.full_s, p.space_s, p.known_space_s
        ) WITH ORDINALITY AS s (
            capacity, covered_s, free_space_s, free_last, free_min, free_max, full_s, space_s,
            known_space_s, place
        )
        WHERE s.capacity IS NOT NULL
        ON CONFLICT (lot_id, step_at) DO UPDATE SET
            covered_s = o.covered_s + excluded.covered_s,
            free_space_s = o.free_space_s + excluded.free_space_s,
            free_min = least(o.free_min, excluded.free_min),
            free_max = greatest(o.free_max, excluded.free_max),
            full_s = o.full_s + excluded.full_s,
            space_s = o.space_s + excluded.space_s,
            known_space_s = o.known_space_s + excluded.known_space_s
        """
    )
    op.execute("DROP TABLE lot_occupancy_fed")
