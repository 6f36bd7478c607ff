-- What the application's role may not do, though it may read and write tables by default (see
-- cluster.sql), and what it may do with functions.

REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM onelot_app;
GRANT SELECT ON alembic_version TO onelot_app;
-- What is said stays said.
REVOKE UPDATE, DELETE ON audit_entry, city_calendar, mechanism_review FROM onelot_app;
GRANT UPDATE (drafted_version, drafted_by, drafted_at) ON mechanism_review TO onelot_app;
REVOKE DELETE ON zone_draft, tariff, tariff_version, price_control, price_mechanism
FROM onelot_app;

REVOKE ALL ON FUNCTION
analyze_registration, suspend_space_checks, resume_space_checks, make_partition, drop_partition
FROM public;
GRANT EXECUTE ON FUNCTION
analyze_registration, suspend_space_checks, resume_space_checks, make_partition, drop_partition
TO onelot_app;
