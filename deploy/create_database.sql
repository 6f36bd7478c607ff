-- The platform's role, database and extension; run by psql as the superuser, again at will.
-- ONELOT_DB_PASSWORD (environment): the password of the role `onelot`, which owns the database but
-- is no superuser. PostGIS is created here because only a superuser may.
\set ON_ERROR_STOP on
\set password `printf %s "$ONELOT_DB_PASSWORD"`
SET client_min_messages = warning;

SELECT 'CREATE ROLE onelot LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onelot')
\gexec
ALTER ROLE onelot PASSWORD :'password';

SELECT 'CREATE DATABASE onelot OWNER onelot'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'onelot')
\gexec

\connect onelot
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS postgis;
