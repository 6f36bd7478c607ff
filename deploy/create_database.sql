-- The platform's roles, database and extension; run by psql as the superuser, again at will.
-- What each role may do stands in sql/schema/grants.sql; none is a superuser. Their passwords are
-- environment variables:
--   onelot           ONELOT_DB_PASSWORD           owns the database, and migrates it
--   onelot_app       ONELOT_DB_APP_PASSWORD       the commands that register the city
--   onelot_public    ONELOT_DB_PUBLIC_PASSWORD    the API's public part: it reads
--   onelot_office    ONELOT_DB_OFFICE_PASSWORD    the API's office: people and the bureau
--   onelot_ingest    ONELOT_DB_INGEST_PASSWORD    the ingester
--   onelot_analysis  ONELOT_DB_ANALYSIS_PASSWORD  analysts: they read
--   onelot_logins    ONELOT_DB_LOGINS_PASSWORD    the broker's users, kept beside it
--   onelot_seal      ONELOT_DB_SEAL_PASSWORD      who seals the audit: it reads
-- PostGIS is created here because only a superuser may.
\set ON_ERROR_STOP on
\set password `printf %s "$ONELOT_DB_PASSWORD"`
\set app_password `printf %s "$ONELOT_DB_APP_PASSWORD"`
\set public_password `printf %s "$ONELOT_DB_PUBLIC_PASSWORD"`
\set office_password `printf %s "$ONELOT_DB_OFFICE_PASSWORD"`
\set ingest_password `printf %s "$ONELOT_DB_INGEST_PASSWORD"`
\set analysis_password `printf %s "$ONELOT_DB_ANALYSIS_PASSWORD"`
\set logins_password `printf %s "$ONELOT_DB_LOGINS_PASSWORD"`
\set seal_password `printf %s "$ONELOT_DB_SEAL_PASSWORD"`
SET client_min_messages = warning;

SELECT format('CREATE ROLE %I LOGIN', r.name)
FROM unnest(
    ARRAY[
        'onelot', 'onelot_app', 'onelot_public', 'onelot_office', 'onelot_ingest',
        'onelot_analysis', 'onelot_logins', 'onelot_seal'
    ]
) AS r (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r.name)
\gexec
ALTER ROLE onelot PASSWORD :'password';
ALTER ROLE onelot_app PASSWORD :'app_password';
ALTER ROLE onelot_public PASSWORD :'public_password';
ALTER ROLE onelot_office PASSWORD :'office_password';
ALTER ROLE onelot_ingest PASSWORD :'ingest_password';
ALTER ROLE onelot_analysis PASSWORD :'analysis_password';
ALTER ROLE onelot_logins PASSWORD :'logins_password';
ALTER ROLE onelot_seal PASSWORD :'seal_password';
-- A login may set these for itself, and so for those who come after it.
SELECT format('ALTER ROLE %I RESET ALL', rolname) FROM pg_roles WHERE rolname ~ '^onelot(_|$)'
\gexec
ALTER ROLE onelot_analysis SET default_transaction_read_only = on;
ALTER ROLE onelot_analysis SET statement_timeout = '5min';
ALTER ROLE onelot_seal SET default_transaction_read_only = on;

SELECT 'CREATE DATABASE onelot OWNER onelot'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'onelot')
\gexec

\connect onelot
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS postgis;

-- Whoever holds one of the platform's advisory locks keeps others from publishing, importing or
-- writing: only for those who do that.
SELECT format(
    'REVOKE EXECUTE ON FUNCTION %1$s FROM public; '
    'GRANT EXECUTE ON FUNCTION %1$s TO onelot, onelot_app, onelot_office, onelot_ingest, '
    'onelot_logins',
    p.oid::regprocedure
)
FROM pg_proc AS p
WHERE p.proname ~ '^pg_(try_)?advisory_' AND p.proname !~ 'unlock'
\gexec
-- Nobody fills the disk beside the tables; an import stages what it reads.
REVOKE TEMPORARY ON DATABASE onelot FROM public;
GRANT TEMPORARY ON DATABASE onelot TO onelot_app;
REVOKE EXECUTE ON FUNCTION
lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea)
FROM public;
