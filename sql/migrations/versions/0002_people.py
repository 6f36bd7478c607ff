"""People, their keys, the audit, and what the application's own database role may do.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Roles are the cluster's, not the database's: deploy/create_database.sql makes this one.
APP = "onelot_app"

ROLE_IS_THERE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP}') THEN
        RAISE EXCEPTION 'the database role {APP} is missing'
            USING HINT = 'run deploy/create_database.sql as the superuser first';
    END IF;
END $$
"""

CITY_TABLES = (
    "district, operator, gateway, zone, lot, space, lot_state, space_event, space_event_default, "
    "count_event, count_event_default, lot_occupancy, lot_occupancy_default, dead_letter"
)

# Tables to come are the application's to read and write unless their migration says otherwise.
APP_RIGHTS = (
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON {CITY_TABLES} TO {APP}",
    f"GRANT SELECT ON lot_now, space_now, alembic_version TO {APP}",
    f"""
    ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP}
    """,
)

PEOPLE = (
    """
    CREATE TABLE person (
        person_id text PRIMARY KEY,
        name text NOT NULL,
        roles text[] NOT NULL CONSTRAINT person_roles_check CHECK (
            roles <@ ARRAY['operator', 'bureau_drafter', 'bureau_approver', 'operations']
            AND cardinality(roles) > 0
        ),
        operator_id text REFERENCES operator,
        created_at timestamptz NOT NULL,
        CONSTRAINT person_operator_check
            CHECK (('operator' = ANY (roles)) = (operator_id IS NOT NULL))
    )
    """,
    """
    CREATE TABLE api_key (
        key_id text PRIMARY KEY,
        person_id text NOT NULL REFERENCES person,
        hash bytea NOT NULL CONSTRAINT api_key_hash_check CHECK (length(hash) = 32),
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        last_used_at timestamptz,
        replaced_by text REFERENCES api_key
    )
    """,
    "CREATE INDEX api_key_person_id_idx ON api_key (person_id)",
)

AUDIT = (
    """
    CREATE TABLE audit_entry (
        entry_id bigint PRIMARY KEY CONSTRAINT audit_entry_entry_id_check CHECK (entry_id > 0),
        at timestamptz NOT NULL,
        person_id text NOT NULL,
        action text NOT NULL,
        subject text NOT NULL,
        before jsonb,
        after jsonb,
        reason text,
        previous_hash bytea NOT NULL CONSTRAINT audit_entry_previous_hash_key UNIQUE
            CONSTRAINT audit_entry_previous_hash_check CHECK (length(previous_hash) = 32),
        hash bytea NOT NULL CONSTRAINT audit_entry_hash_key UNIQUE
            CONSTRAINT audit_entry_hash_check CHECK (length(hash) = 32)
    )
    """,
    "CREATE INDEX audit_entry_subject_idx ON audit_entry (subject, entry_id)",
    """
    CREATE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'an audit entry is never changed or removed'
            USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    """
    CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays()
    """,
    "ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_stays",
    f"REVOKE ALL ON audit_entry FROM {APP}",
    f"GRANT SELECT, INSERT ON audit_entry TO {APP}",
)

FUNCTION_NAMES = (
    "analyze_registration",
    "suspend_space_checks",
    "resume_space_checks",
    "make_partition",
    "drop_partition",
)
# What only a table's owner may do but the application needs: the importer loads a first city at
# full speed and renews the planner's statistics; the ingester makes and drops partitions of the
# history, and rows that fell into the default one because theirs was missing are moved to it.
FUNCTIONS = (
    """
    CREATE FUNCTION analyze_registration() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS 'ANALYZE public.lot, public.space'
    """,
    "COMMENT ON FUNCTION analyze_registration IS 'Renew the statistics of lots and spaces.'",
    """
    CREATE FUNCTION suspend_space_checks() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM public.space) THEN
            RETURN false;
        END IF;
        DROP INDEX public.space_geog_idx;
        ALTER TABLE public.space DROP CONSTRAINT space_lot_id_fkey;
        RETURN true;
    END $$
    """,
    """
    COMMENT ON FUNCTION suspend_space_checks IS
    'While there is no bay yet, drop what makes adding many slow; whether that was so.'
    """,
    """
    CREATE FUNCTION resume_space_checks() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    AS '
        ALTER TABLE public.space ADD CONSTRAINT space_lot_id_fkey
        FOREIGN KEY (lot_id) REFERENCES public.lot ON DELETE CASCADE;
        CREATE INDEX space_geog_idx ON public.space USING gist (geog);
    '
    """,
    """
    COMMENT ON FUNCTION resume_space_checks IS
    'Make again what suspend_space_checks dropped; in the same transaction.'
    """,
    """
    CREATE FUNCTION make_partition(parent text, begins date, ends date) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET timezone = 'UTC' AS $$
    DECLARE
        made text := format('%s_p%s', parent, to_char(begins, 'YYYYMMDD'));
        key text := CASE
            WHEN parent IN ('space_event', 'count_event') THEN 'received_at'
            WHEN parent = 'lot_occupancy' THEN 'step_at'
        END;
    BEGIN
        IF key IS NULL THEN
            RAISE EXCEPTION 'not a table of the history: %', parent;
        END IF;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS)', made, parent);
        EXECUTE format(
            'WITH moved AS (DELETE FROM public.%I WHERE %I >= $1::timestamptz AND %I < $2'
            '::timestamptz RETURNING *) INSERT INTO public.%I SELECT * FROM moved',
            parent || '_default', key, key, made
        ) USING begins, ends;
        EXECUTE format(
            'ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            parent, made, begins::timestamptz, ends::timestamptz
        );
        RETURN made;
    END $$
    """,
    """
    COMMENT ON FUNCTION make_partition IS
    'Make the partition of a history table for the days from begins to before ends (UTC).'
    """,
    """
    CREATE FUNCTION drop_partition(parent text, dropped text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF parent NOT IN ('space_event', 'count_event', 'lot_occupancy')
            OR dropped !~ ('^' || parent || '_p[0-9]{8}$')
        THEN
            RAISE EXCEPTION 'not a partition of the history: %', dropped;
        END IF;
        EXECUTE format('DROP TABLE public.%I', dropped);
    END $$
    """,
    "COMMENT ON FUNCTION drop_partition IS 'Drop a dated partition of a history table.'",
    f"REVOKE ALL ON FUNCTION {', '.join(FUNCTION_NAMES)} FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION {', '.join(FUNCTION_NAMES)} TO {APP}",
)


def upgrade() -> None:
    """Make the tables, the functions and the rights."""
    for statement in (ROLE_IS_THERE, *APP_RIGHTS, *PEOPLE, *AUDIT, *FUNCTIONS):
        op.execute(statement)


def downgrade() -> None:
    """Remove them; the audit too, which only the owner can."""
    for function in FUNCTION_NAMES:
        op.execute(f"DROP FUNCTION {function}")
    for table in ("audit_entry", "api_key", "person"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION audit_entry_stays")
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM {APP}")
    op.execute(f"REVOKE ALL ON {CITY_TABLES}, lot_now, space_now, alembic_version FROM {APP}")
