"""Price mechanisms, their reviews, and the time that a lot stood full.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APP = "onelot_app"

OCCUPANCY = ("ALTER TABLE lot_occupancy ADD COLUMN full_s double precision NOT NULL DEFAULT 0",)
MECHANISMS = (
    """
    CREATE TABLE price_mechanism (
        mechanism_id text PRIMARY KEY,
        definition json NOT NULL,
        content_hash text NOT NULL,
        zone_id text NOT NULL REFERENCES zone,
        lot_types text[] NOT NULL CONSTRAINT price_mechanism_lot_types_check
            CHECK (cardinality(lot_types) > 0),
        state text NOT NULL DEFAULT 'draft' CONSTRAINT price_mechanism_state_check
            CHECK (state IN ('draft', 'approved', 'retired')),
        mode text NOT NULL CONSTRAINT price_mechanism_mode_check CHECK (mode IN ('on', 'frozen')),
        drafted_by text NOT NULL,
        drafted_at timestamptz NOT NULL,
        approved_by text,
        approved_at timestamptz,
        retired_by text,
        retired_at timestamptz,
        CONSTRAINT price_mechanism_two_people_check CHECK (approved_by <> drafted_by),
        CONSTRAINT price_mechanism_approved_check
            CHECK (state <> 'approved' OR approved_by IS NOT NULL)
    )
    """,
    """
    CREATE FUNCTION price_mechanism_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'a price mechanism is never deleted'
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF OLD.state <> 'draft' AND (
            OLD.definition::text, OLD.content_hash, OLD.zone_id, OLD.lot_types, OLD.drafted_by,
            OLD.drafted_at
        ) IS DISTINCT FROM (
            NEW.definition::text, NEW.content_hash, NEW.zone_id, NEW.lot_types, NEW.drafted_by,
            NEW.drafted_at
        ) THEN
            RAISE EXCEPTION 'a price mechanism is immutable once it has left its draft'
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
            ('draft', 'approved'), ('draft', 'retired'), ('approved', 'retired')
        ) THEN
            RAISE EXCEPTION 'a price mechanism goes no way back'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER price_mechanism_stays BEFORE UPDATE OR DELETE ON price_mechanism
    FOR EACH ROW EXECUTE FUNCTION price_mechanism_stays()
    """,
    "ALTER TABLE price_mechanism ENABLE ALWAYS TRIGGER price_mechanism_stays",
    """
    CREATE TABLE price_mechanism_target (
        zone_id text,
        lot_type text,
        mechanism_id text NOT NULL REFERENCES price_mechanism,
        PRIMARY KEY (zone_id, lot_type)
    )
    """,
    """
    CREATE TABLE mechanism_review (
        mechanism_id text REFERENCES price_mechanism,
        number integer CONSTRAINT mechanism_review_number_check CHECK (number >= 1),
        reviewed_at timestamptz NOT NULL,
        reviewed_by text NOT NULL,
        definition json NOT NULL,
        read_from timestamptz NOT NULL,
        read_to timestamptz NOT NULL,
        lots integer NOT NULL,
        tariff_id text NOT NULL,
        version integer NOT NULL,
        proposals json NOT NULL,
        drafted_version integer,
        drafted_by text,
        drafted_at timestamptz,
        PRIMARY KEY (mechanism_id, number),
        FOREIGN KEY (tariff_id, version) REFERENCES tariff_version,
        FOREIGN KEY (tariff_id, drafted_version) REFERENCES tariff_version,
        CONSTRAINT mechanism_review_read_to_check CHECK (read_from < read_to),
        CONSTRAINT mechanism_review_drafted_check CHECK (
            (drafted_version IS NULL) = (drafted_by IS NULL)
            AND (drafted_version IS NULL) = (drafted_at IS NULL)
        )
    )
    """,
)
RIGHTS = (
    f"REVOKE DELETE ON price_mechanism FROM {APP}",
    f"REVOKE UPDATE, DELETE ON mechanism_review FROM {APP}",
    f"GRANT UPDATE (drafted_version, drafted_by, drafted_at) ON mechanism_review TO {APP}",
)


def upgrade() -> None:
    """Make the column, the tables, and what guards them."""
    for statement in (*OCCUPANCY, *MECHANISMS, *RIGHTS):
        op.execute(statement)


def downgrade() -> None:
    """Remove them."""
    for table in ("mechanism_review", "price_mechanism_target", "price_mechanism"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION price_mechanism_stays")
    op.execute("ALTER TABLE lot_occupancy DROP COLUMN full_s")
