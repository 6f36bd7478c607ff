"""When a lot closes during a stay.

Revision ID: 0010
Revises: 0006
"""

from alembic import op

revision = "0010"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the function."""
    op.execute(
        """
        CREATE FUNCTION closes_within(
            opens_at time, closes_at time, timezone text, starts_at timestamptz,
            ends_at timestamptz
        ) RETURNS timestamptz
        LANGUAGE sql STABLE PARALLEL SAFE
        BEGIN ATOMIC
            SELECT CASE
                WHEN opens_at IS NULL OR opens_at = closes_at THEN null
                WHEN NOT is_open(opens_at, closes_at, here.local::time) THEN starts_at
                WHEN closing.at < ends_at THEN closing.at
            END
            FROM (SELECT starts_at AT TIME ZONE timezone AS local) AS here
            CROSS JOIN LATERAL (
                SELECT
                    here.local::date + (closes_at <= here.local::time)::integer + closes_at
                    AS local
            ) AS wall
            -- Of a repeated hour this is the second pass.
            CROSS JOIN LATERAL (SELECT wall.local AT TIME ZONE timezone AS at) AS later
            -- By the offset of three hours before: of a repeated hour the first pass.
            CROSS JOIN LATERAL (
                SELECT
                    later.at - interval '3 hours'
                    + (wall.local - (later.at - interval '3 hours') AT TIME ZONE timezone) AS at
            ) AS earlier
            CROSS JOIN LATERAL (
                SELECT
                    CASE
                        WHEN
                            earlier.at > starts_at AND earlier.at AT TIME ZONE timezone = wall.local
                            THEN earlier.at
                        ELSE later.at
                    END AS at
            ) AS closing;
        END
        """
    )
    op.execute(
        """
        COMMENT ON FUNCTION closes_within IS
        'The first instant of a stay at which a lot with these daily hours is not open: the start
        where it is closed then, null where it is open throughout.'
        """
    )


def downgrade() -> None:
    """Remove it."""
    op.execute("DROP FUNCTION closes_within")
