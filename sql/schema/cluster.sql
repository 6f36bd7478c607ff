-- What the tables need before they are made: a role, two extensions, rights by default.

-- Roles are the cluster's, not the database's: deploy/create_database.sql makes this one.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onelot_app') THEN
        RAISE EXCEPTION 'the database role onelot_app is missing'
            USING HINT = 'run deploy/create_database.sql as the superuser first';
    END IF;
END $$;

CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Tables to come are the application's to read and write unless grants.sql says otherwise.
ALTER DEFAULT PRIVILEGES IN SCHEMA public
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO onelot_app;
