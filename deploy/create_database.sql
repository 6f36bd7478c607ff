-- The platform's roles, database and extension; run by psql as the superuser, again at will.
-- ONELOT_DB_PASSWORD (environment): the password of the role `onelot`, which owns the database and
-- migrates it, but is no superuser. ONELOT_DB_APP_PASSWORD: that of `onelot_app`, which all programs
-- use: it reads and writes what the migrations grant it, and can change no table's definition.
-- PostGIS is created here because only a superuser may.
\set ON_ERROR_STOP on
\set password `printf %s "$ONELOT_DB_PASSWORD"`
\set app_password `printf %s "$ONELOT_DB_APP_PASSWORD"`
SET client_min_messages = warning;

SELECT 'CREATE ROLE onelot LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onelot')
\gexec
ALTER ROLE onelot PASSWORD :'password';

SELECT 'CREATE ROLE onelot_app LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onelot_app')
\gexec
ALTER ROLE onelot_app PASSWORD :'app_password';

SELECT 'CREATE DATABASE onelot OWNER onelot'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'onelot')
\gexec

\connect onelot
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS postgis;
