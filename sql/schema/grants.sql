-- Who may do what. Roles are made by deploy/create_database.sql; `onelot` owns everything.
--
-- | role            | for                  | reads                  | writes                         |
-- |-----------------|----------------------|------------------------|--------------------------------|
-- | onelot_public   | the API's public     | the city, its history, | nothing                        |
-- |                 | part                 | tariffs, gateways      |                                |
-- | onelot_office   | the API's office     | all; messages and      | people, tariffs, zones,        |
-- |                 |                      | gateways by row        | controls, closures, passwords  |
-- | onelot_app      | the commands         | all                    | the city and first tariffs,    |
-- |                 |                      |                        | past days; of keys, their end  |
-- | onelot_ingest   | the ingester         | lots, bays, gateways   | states, history, refused       |
-- |                 |                      | (no passwords)         | messages                       |
-- | onelot_analysis | analysts             | the city, its history, | nothing                        |
-- |                 |                      | tariffs                |                                |
-- | onelot_logins   | the broker's users   | gateways' passwords,   | nothing                        |
-- |                 |                      | as hashes              |                                |
-- | onelot_seal     | the audit's seals    | the audit              | nothing                        |
--
-- onelot_app has its rights to tables by default: see cluster.sql.

REVOKE INSERT, UPDATE, DELETE ON
alembic_version, retention, person, api_key, enrolment
FROM onelot_app;
-- A way down and up again leaves the order of rights as it was.
REVOKE ALL ON alembic_version FROM onelot_app, onelot_public, onelot_office;
GRANT SELECT ON alembic_version TO onelot_app;
-- What is said stays said.
REVOKE UPDATE, DELETE ON city_calendar, mechanism_review FROM onelot_app;
REVOKE DELETE ON
decision, tariff_suspension, zone_draft, tariff, tariff_version, price_control, price_mechanism
FROM onelot_app;

-- History is the ingester's, to which an import adds past days; of decisions, it takes those that
-- were made.
REVOKE UPDATE, DELETE ON
space_event, count_event, lot_occupancy, lot_occupancy_day, lot_occupancy_fed
FROM onelot_app;
REVOKE INSERT ON lot_occupancy_fed FROM onelot_app;
REVOKE INSERT, UPDATE, DELETE ON lot_history FROM onelot_app;
REVOKE INSERT, UPDATE ON decision FROM onelot_app;

-- The audit is read; entries are made by a function alone.
REVOKE INSERT, UPDATE, DELETE ON audit_entry FROM onelot_app;

-- Nobody who is not named here: not on functions, and nothing is made in the schema.
REVOKE CREATE ON SCHEMA public FROM public;
REVOKE ALL ON FUNCTION
analyze_registration, suspend_space_checks, resume_space_checks, make_partition, drop_partition,
pack_steps, empty_partition, add_audit_entry
FROM public, onelot_app, onelot_office;
GRANT EXECUTE ON FUNCTION
analyze_registration, suspend_space_checks, resume_space_checks, add_audit_entry
TO onelot_app;
GRANT EXECUTE ON FUNCTION add_audit_entry TO onelot_office;

-- The API's public part.
GRANT SELECT ON
alembic_version, district, operator, lot, space, place, lot_state, lot_occupancy,
lot_occupancy_day, lot_occupancy_fed, lot_history, space_event, count_event, ingester_status, zone,
tariff, tariff_version, tariff_effect, tariff_suspension, price_control, city_calendar,
price_mechanism, price_mechanism_target, mechanism_review, lot_now, space_now
TO onelot_public;
-- It takes what gateways post, who show their passwords.
GRANT SELECT (gateway_id, operator_id, simulated, password_hash) ON gateway TO onelot_public;

-- The API's office. It writes no column that makes another thing of what is there: not a key's
-- hash, a control's limits, an effect's lots, a gateway's or a lot's operator; nor a version that
-- is more than a draft. To lock a row takes the right to change a column of it.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO onelot_office;
GRANT INSERT ON
person, api_key, enrolment, decision, tariff, tariff_effect, tariff_suspension,
zone_draft, zone, price_control, city_calendar, price_mechanism, price_mechanism_target,
mechanism_review
TO onelot_office;
GRANT INSERT (
    tariff_id, version, document, content_hash, zones, lot_types, lots, copy_of, drafted_by,
    drafted_at
) ON tariff_version TO onelot_office;
GRANT UPDATE ON zone_draft, price_mechanism TO onelot_office;
GRANT UPDATE (roles, operator_id) ON person TO onelot_office;
GRANT UPDATE (expires_at, revoked_at, last_used_at, replaced_by) ON api_key TO onelot_office;
GRANT UPDATE (
    state, confirmed_by, confirmed_at, code_hash, code_expires_at, tries, completed_at, key_id
) ON enrolment TO onelot_office;
GRANT UPDATE (state, settled_by, settled_at) ON decision TO onelot_office;
GRANT UPDATE (created_at) ON tariff TO onelot_office;
GRANT UPDATE (
    document, content_hash, zones, lot_types, lots, drafted_at, state, submitted_by, submitted_at,
    approved_by, approved_at, published_by, published_at, withdrawn_by, withdrawn_at,
    issuing_office_zh, issuing_office_en, document_number, issued_on
) ON tariff_version TO onelot_office;
GRANT UPDATE (effective) ON tariff_effect TO onelot_office;
GRANT UPDATE (
    during, confirmed_by, confirmed_at, resumed_by, resumed_at
) ON tariff_suspension TO onelot_office;
GRANT UPDATE (valid_to) ON zone TO onelot_office;
GRANT UPDATE (approved_by, approved_at, valid_to) ON price_control TO onelot_office;
GRANT UPDATE (drafted_version, drafted_by, drafted_at) ON mechanism_review TO onelot_office;
GRANT UPDATE (password_hash, password_by_person) ON gateway TO onelot_office;
GRANT UPDATE (
    zone_id, closed_from, closed_until, closed_reason, retired_at
) ON lot TO onelot_office;
GRANT DELETE ON tariff_effect, price_mechanism_target TO onelot_office;

-- What the commands write of single columns. It stands after the office's, so that a second run
-- leaves the order of rights as it is: `people revoke`, which lets nobody do more, and `review`.
GRANT UPDATE (expires_at, revoked_at, replaced_by) ON api_key TO onelot_app;
GRANT UPDATE (drafted_version, drafted_by, drafted_at) ON mechanism_review TO onelot_app;
GRANT UPDATE (used_at) ON decision TO onelot_app;

-- The ingester. It deletes refused messages that are too old, and drops partitions through a
-- function, which refuses those that are too young.
GRANT SELECT ON lot, space, retention TO onelot_ingest;
GRANT SELECT (gateway_id, operator_id) ON gateway TO onelot_ingest;
GRANT SELECT, INSERT, UPDATE ON lot_state, lot_occupancy, ingester_status TO onelot_ingest;
GRANT INSERT ON space_event, count_event TO onelot_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON dead_letter TO onelot_ingest;
GRANT EXECUTE ON FUNCTION drop_partition, pack_steps, empty_partition TO onelot_ingest;
-- An import of past days makes theirs.
GRANT EXECUTE ON FUNCTION make_partition TO onelot_ingest, onelot_app;

-- Who keeps the broker's users.
GRANT SELECT (gateway_id, password_hash) ON gateway TO onelot_logins;

-- Who seals the audit.
GRANT SELECT ON audit_entry TO onelot_seal;

-- Analysts: nothing of persons, passwords, and messages.
GRANT SELECT ON
district, operator, lot, space, place, lot_state, lot_occupancy, lot_occupancy_day,
lot_occupancy_fed, lot_history, space_event, count_event, zone, tariff, tariff_version,
tariff_effect, price_control, city_calendar,
price_mechanism, price_mechanism_target, mechanism_review, lot_now, space_now
TO onelot_analysis;
GRANT SELECT (gateway_id, operator_id, simulated) ON gateway TO onelot_analysis;

-- By row: the office sees the gateways and refused messages of the operator that it has said it
-- asks for, `*` for all, and none before. So a question that forgets whose they are finds nothing.
-- Not for lots and bays: their index would be lost, as PostGIS's operators are not leakproof.
ALTER TABLE gateway ENABLE ROW LEVEL SECURITY;
ALTER TABLE dead_letter ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS everybody ON gateway;
CREATE POLICY everybody ON gateway
TO onelot_app, onelot_public, onelot_ingest, onelot_analysis, onelot_logins USING (true);
DROP POLICY IF EXISTS office ON gateway;
CREATE POLICY office ON gateway TO onelot_office
USING (current_setting('onelot.operator', true) IN ('*', operator_id));
DROP POLICY IF EXISTS everybody ON dead_letter;
CREATE POLICY everybody ON dead_letter TO onelot_app, onelot_ingest USING (true);
DROP POLICY IF EXISTS office ON dead_letter;
CREATE POLICY office ON dead_letter TO onelot_office
USING (
    current_setting('onelot.operator', true) = '*'
    OR gateway_id IN (SELECT g.gateway_id FROM gateway AS g)
);

-- Drafts are the bureau's: neither whoever answers anyone nor analysts see them.
ALTER TABLE tariff_version ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS everything ON tariff_version;
CREATE POLICY everything ON tariff_version TO onelot_app, onelot_office USING (true);
DROP POLICY IF EXISTS published ON tariff_version;
CREATE POLICY published ON tariff_version TO onelot_public, onelot_analysis
USING (state = 'published' OR published_at IS NOT null);
ALTER TABLE price_control ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS everything ON price_control;
CREATE POLICY everything ON price_control TO onelot_app, onelot_office USING (true);
DROP POLICY IF EXISTS approved ON price_control;
CREATE POLICY approved ON price_control TO onelot_public, onelot_analysis
USING (approved_at IS NOT null);
ALTER TABLE price_mechanism ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS everything ON price_mechanism;
CREATE POLICY everything ON price_mechanism TO onelot_app, onelot_office USING (true);
DROP POLICY IF EXISTS approved ON price_mechanism;
CREATE POLICY approved ON price_mechanism TO onelot_public, onelot_analysis
USING (approved_at IS NOT null);
