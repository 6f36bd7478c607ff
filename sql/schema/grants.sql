-- Who may do what. Roles are made by deploy/create_database.sql; `onelot` owns everything.
--
-- | role            | for                  | reads                  | writes                         |
-- |-----------------|----------------------|------------------------|--------------------------------|
-- | onelot_app      | the API, commands    | all                    | all but what is revoked here   |
-- | onelot_ingest   | the ingester         | lots, bays, gateways   | states, history, refused       |
-- |                 |                      | (no passwords)         | messages                       |
-- | onelot_analysis | analysts             | the city, its history, | nothing                        |
-- |                 |                      | tariffs                |                                |
-- | onelot_logins   | the broker's users   | gateways' passwords,   | nothing                        |
-- |                 |                      | as hashes              |                                |
-- | onelot_seal     | the audit's seals    | the audit              | nothing                        |
--
-- onelot_app has its rights to tables by default: see cluster.sql.

REVOKE INSERT, UPDATE, DELETE ON alembic_version, retention FROM onelot_app;
GRANT SELECT ON alembic_version TO onelot_app;
-- What is said stays said.
REVOKE UPDATE, DELETE ON city_calendar, mechanism_review FROM onelot_app;
GRANT UPDATE (drafted_version, drafted_by, drafted_at) ON mechanism_review TO onelot_app;
REVOKE DELETE ON
enrolment, decision, tariff_suspension, zone_draft, tariff, tariff_version, price_control,
price_mechanism
FROM onelot_app;

-- The audit is read; entries are made by a function alone.
REVOKE INSERT, UPDATE, DELETE ON audit_entry FROM onelot_app;

-- Nobody who is not named here: not on functions, and nothing is made in the schema.
REVOKE CREATE ON SCHEMA public FROM public;
REVOKE ALL ON FUNCTION
analyze_registration, suspend_space_checks, resume_space_checks, make_partition, drop_partition,
add_audit_entry
FROM public, onelot_app;
GRANT EXECUTE ON FUNCTION
analyze_registration, suspend_space_checks, resume_space_checks, add_audit_entry
TO onelot_app;

-- The ingester. It deletes refused messages that are too old, and drops partitions through a
-- function, which refuses those that are too young.
GRANT SELECT ON lot, space, retention TO onelot_ingest;
GRANT SELECT (gateway_id, operator_id) ON gateway TO onelot_ingest;
GRANT SELECT, INSERT, UPDATE ON lot_state, lot_occupancy, ingester_status TO onelot_ingest;
GRANT INSERT ON space_event, count_event TO onelot_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON dead_letter TO onelot_ingest;
GRANT EXECUTE ON FUNCTION make_partition, drop_partition TO onelot_ingest;

-- Who keeps the broker's users.
GRANT SELECT (gateway_id, password_hash) ON gateway TO onelot_logins;

-- Who seals the audit.
GRANT SELECT ON audit_entry TO onelot_seal;

-- Analysts: nothing of persons, passwords, and messages.
GRANT SELECT ON
district, operator, lot, space, place, lot_state, lot_occupancy, space_event, count_event, zone,
tariff, tariff_version, tariff_effect, price_control, city_calendar, price_mechanism,
price_mechanism_target, mechanism_review, lot_now, space_now
TO onelot_analysis;
GRANT SELECT (gateway_id, operator_id, simulated) ON gateway TO onelot_analysis;
