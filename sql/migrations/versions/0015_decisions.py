"""Suspensions of tariff versions, and decisions, which take two persons.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.execute("""
CREATE TABLE tariff_suspension (
    suspension_id bigint GENERATED ALWAYS AS IDENTITY,
    tariff_id text NOT NULL,
    version integer NOT NULL,
    during tstzrange NOT NULL,
    reason text NOT NULL,
    suspended_by text NOT NULL,
    confirmed_by text,
    confirmed_at timestamptz,
    resumed_by text,
    resumed_at timestamptz,
    CONSTRAINT tariff_suspension_pkey PRIMARY KEY (suspension_id),
    CONSTRAINT tariff_suspension_tariff_id_version_fkey FOREIGN KEY (tariff_id, version)
        REFERENCES tariff_version (tariff_id, version),
    CONSTRAINT tariff_suspension_two_people_check CHECK (confirmed_by <> suspended_by),
    CONSTRAINT tariff_suspension_during_check CHECK (
        NOT isempty(during) AND NOT lower_inf(during)
    ),
    CONSTRAINT tariff_suspension_lapses_check CHECK (
        NOT upper_inf(during) OR confirmed_by IS NOT NULL
    ),
    CONSTRAINT tariff_suspension_version_excl EXCLUDE USING gist (
        tariff_id WITH =, version WITH =, during WITH &&
    )
)
""")
    op.execute("""
CREATE TABLE decision (
    decision_id text NOT NULL,
    step text NOT NULL,
    subject text NOT NULL,
    asked json NOT NULL,
    state text NOT NULL CONSTRAINT decision_state_check CHECK (
        state IN ('asked', 'confirmed', 'withdrawn')
    ),
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    lapses_at timestamptz NOT NULL CONSTRAINT decision_lapses_at_check CHECK (
        lapses_at > asked_at
    ),
    settled_by text,
    settled_at timestamptz,
    used_at timestamptz,
    CONSTRAINT decision_pkey PRIMARY KEY (decision_id),
    CONSTRAINT decision_two_people_check CHECK (
        state <> 'confirmed' OR settled_by <> asked_by
    ),
    CONSTRAINT decision_settled_check CHECK ((state = 'asked') = (settled_by IS NULL))
)
""")


def downgrade() -> None:
    """Remove them; what was suspended gives prices again."""
    op.execute("DROP TABLE decision, tariff_suspension")
