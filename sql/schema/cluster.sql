-- What the tables need before they are made: a role, two extensions, rights by default.

-- Roles are the cluster's, not the database's: deploy/create_database.sql makes these.
DO $$
DECLARE
    missing text := (
        SELECT string_agg(name, ', ')
        FROM unnest(
            ARRAY[
                'onelot_app', 'onelot_public', 'onelot_office', 'onelot_ingest',
                'onelot_analysis', 'onelot_logins', 'onelot_seal'
            ]
        ) AS r (name)
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r.name)
    );
BEGIN
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'database roles are missing: %', missing
            USING HINT = 'run deploy/create_database.sql as the superuser first';
    END IF;
END $$;

CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Tables to come are the commands' to read and write unless grants.sql says otherwise.
ALTER DEFAULT PRIVILEGES IN SCHEMA public
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO onelot_app;
