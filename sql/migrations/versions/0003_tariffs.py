"""Zones' drafts, tariffs and their versions, price controls, the city's calendar.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APP = "onelot_app"

ZONES = (
    """
    CREATE TABLE zone_draft (
        zone_id text PRIMARY KEY,
        name_zh text NOT NULL,
        name_en text NOT NULL,
        zone_class smallint NOT NULL CONSTRAINT zone_draft_zone_class_check
            CHECK (zone_class BETWEEN 1 AND 3),
        valid_from timestamptz NOT NULL,
        valid_to timestamptz CONSTRAINT zone_draft_valid_to_check CHECK (valid_to > valid_from),
        replaces text[] NOT NULL DEFAULT '{}',
        geom geometry(MultiPolygon, 4326) NOT NULL,
        state text NOT NULL DEFAULT 'draft' CONSTRAINT zone_draft_state_check
            CHECK (state IN ('draft', 'published', 'withdrawn')),
        drafted_by text NOT NULL,
        drafted_at timestamptz NOT NULL,
        published_by text,
        published_at timestamptz,
        CONSTRAINT zone_draft_two_people_check CHECK (published_by <> drafted_by)
    )
    """,
)

VERSIONS = (
    """
    CREATE TABLE tariff (
        tariff_id text PRIMARY KEY,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE tariff_version (
        tariff_id text REFERENCES tariff,
        version integer CONSTRAINT tariff_version_version_check CHECK (version >= 1),
        document json NOT NULL,
        content_hash text NOT NULL,
        zones text[] NOT NULL DEFAULT '{}',
        lot_types text[] NOT NULL DEFAULT '{}',
        lots text[] NOT NULL DEFAULT '{}',
        copy_of integer,
        state text NOT NULL DEFAULT 'draft' CONSTRAINT tariff_version_state_check
            CHECK (state IN ('draft', 'in_review', 'approved', 'published', 'withdrawn')),
        imported boolean NOT NULL DEFAULT false,
        drafted_by text NOT NULL,
        drafted_at timestamptz NOT NULL,
        submitted_by text,
        submitted_at timestamptz,
        approved_by text,
        approved_at timestamptz,
        published_by text,
        published_at timestamptz,
        withdrawn_by text,
        withdrawn_at timestamptz,
        PRIMARY KEY (tariff_id, version),
        CONSTRAINT tariff_version_applies_to_check CHECK (
            cardinality(zones) > 0 AND cardinality(lot_types) > 0 AND cardinality(lots) = 0
            OR cardinality(zones) = 0 AND cardinality(lot_types) = 0 AND cardinality(lots) > 0
        ),
        CONSTRAINT tariff_version_two_people_check
            CHECK (approved_by <> drafted_by AND approved_by <> submitted_by),
        CONSTRAINT tariff_version_approved_check CHECK (
            state NOT IN ('approved', 'published') OR approved_by IS NOT NULL OR imported
        )
    )
    """,
    """
    CREATE FUNCTION tariff_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'a tariff version is never deleted'
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF OLD.state <> 'draft' AND (
            OLD.document::text, OLD.content_hash, OLD.zones, OLD.lot_types, OLD.lots, OLD.copy_of,
            OLD.imported, OLD.drafted_by, OLD.drafted_at
        ) IS DISTINCT FROM (
            NEW.document::text, NEW.content_hash, NEW.zones, NEW.lot_types, NEW.lots, NEW.copy_of,
            NEW.imported, NEW.drafted_by, NEW.drafted_at
        ) THEN
            RAISE EXCEPTION 'a tariff version is immutable once it has left its draft'
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
            ('draft', 'in_review'), ('in_review', 'approved'), ('approved', 'published'),
            ('draft', 'withdrawn'), ('in_review', 'withdrawn'), ('approved', 'withdrawn'),
            ('published', 'withdrawn')
        ) THEN
            RAISE EXCEPTION 'a tariff version goes no way back'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER tariff_version_stays BEFORE UPDATE OR DELETE ON tariff_version
    FOR EACH ROW EXECUTE FUNCTION tariff_version_stays()
    """,
    "ALTER TABLE tariff_version ENABLE ALWAYS TRIGGER tariff_version_stays",
    """
    CREATE TABLE tariff_effect (
        effect_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tariff_id text NOT NULL,
        version integer NOT NULL,
        zone_id text REFERENCES zone,
        lot_type text,
        lot_id text REFERENCES lot,
        effective tstzrange NOT NULL CONSTRAINT tariff_effect_effective_check
            CHECK (NOT isempty(effective)),
        planned_to timestamptz,
        FOREIGN KEY (tariff_id, version) REFERENCES tariff_version,
        CONSTRAINT tariff_effect_target_check CHECK (
            (lot_id IS NULL) = (zone_id IS NOT NULL) AND (zone_id IS NULL) = (lot_type IS NULL)
        ),
        CONSTRAINT tariff_effect_zone_excl
            EXCLUDE USING gist (zone_id WITH =, lot_type WITH =, effective WITH &&),
        CONSTRAINT tariff_effect_lot_excl EXCLUDE USING gist (lot_id WITH =, effective WITH &&)
    )
    """,
    "CREATE INDEX tariff_effect_tariff_id_version_idx ON tariff_effect (tariff_id, version)",
)

CONTROLS = (
    """
    CREATE TABLE price_control (
        price_control_id text PRIMARY KEY,
        legal_reference_zh text NOT NULL,
        legal_reference_en text NOT NULL,
        zone_class smallint CONSTRAINT price_control_zone_class_check
            CHECK (zone_class BETWEEN 1 AND 3),
        lot_types text[] NOT NULL DEFAULT '{}',
        currency text NOT NULL,
        vehicle text,
        base_minor integer NOT NULL CONSTRAINT price_control_base_minor_check
            CHECK (base_minor >= 0),
        float_up_percent integer CONSTRAINT price_control_float_up_percent_check
            CHECK (float_up_percent >= 0),
        float_down_percent integer CONSTRAINT price_control_float_down_percent_check
            CHECK (float_down_percent BETWEEN 0 AND 100),
        floor_minor integer CONSTRAINT price_control_floor_minor_check
            CHECK (floor_minor BETWEEN 0 AND base_minor),
        ceiling_minor integer CONSTRAINT price_control_ceiling_minor_check
            CHECK (ceiling_minor >= base_minor),
        day_ceiling_minor integer CONSTRAINT price_control_day_ceiling_minor_check
            CHECK (day_ceiling_minor >= 0),
        valid_from timestamptz NOT NULL,
        valid_to timestamptz CONSTRAINT price_control_valid_to_check CHECK (valid_to > valid_from),
        drafted_by text NOT NULL,
        drafted_at timestamptz NOT NULL,
        approved_by text,
        approved_at timestamptz,
        CONSTRAINT price_control_two_people_check CHECK (approved_by <> drafted_by)
    )
    """,
    """
    CREATE TABLE city_calendar (
        year integer PRIMARY KEY CONSTRAINT city_calendar_year_check
            CHECK (year BETWEEN 2000 AND 2199),
        holidays date[] NOT NULL,
        makeup_workdays date[] NOT NULL,
        published_by text NOT NULL,
        published_at timestamptz NOT NULL
    )
    """,
)

# Whoever prices from memory reads again, once the change is committed.
# Of a lot only its place and type count: its zone follows from the place.
NOTIFIED = {
    "tariff_effect": "INSERT OR UPDATE OR DELETE",
    "zone": "INSERT OR UPDATE OR DELETE",
    "lot": "INSERT OR UPDATE OF geog, lot_type OR DELETE",
    "city_calendar": "INSERT OR UPDATE OR DELETE",
}
NOTIFY = (
    """
    CREATE FUNCTION tariffs_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('tariffs', '');
        RETURN NULL;
    END $$
    """,
    *(
        f"""
        CREATE TRIGGER {table}_tariffs_changed AFTER {events} ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION tariffs_changed()
        """
        for table, events in NOTIFIED.items()
    ),
)

RIGHTS = (
    f"REVOKE DELETE ON zone_draft, tariff, tariff_version, price_control FROM {APP}",
    f"REVOKE UPDATE, DELETE ON city_calendar FROM {APP}",
)


def upgrade() -> None:
    """Make the tables, what guards them, and who is told."""
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    for statement in (*ZONES, *VERSIONS, *CONTROLS, *NOTIFY, *RIGHTS):
        op.execute(statement)


def downgrade() -> None:
    """Remove them; btree_gist stays, which may be others' too."""
    for table in NOTIFIED:
        op.execute(f"DROP TRIGGER {table}_tariffs_changed ON {table}")
    op.execute("DROP FUNCTION tariffs_changed")
    for table in ("city_calendar", "price_control", "tariff_effect", "tariff_version", "tariff"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION tariff_version_stays")
    op.execute("DROP TABLE zone_draft")
