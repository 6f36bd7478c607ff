-- Every trigger; their functions stand in functions.sql. Each is replaced under a lock that waits
-- for whoever writes to its table: so the tables come in the order in which transactions write to
-- them, the audit last.

-- Whoever knows gateways' passwords reads them again, once the change is committed.
CREATE OR REPLACE TRIGGER gateway_logins_changed
AFTER INSERT OR UPDATE OF password_hash OR DELETE ON gateway
FOR EACH STATEMENT EXECUTE FUNCTION logins_changed();

-- Whoever prices from memory reads again, once the change is committed.
-- Of a lot its place and type count, from which its zone follows, and that it is retired.
CREATE OR REPLACE TRIGGER lot_tariffs_changed
AFTER INSERT OR UPDATE OF geog, lot_type, retired_at OR DELETE ON lot
FOR EACH STATEMENT EXECUTE FUNCTION tariffs_changed();
CREATE OR REPLACE TRIGGER zone_tariffs_changed
AFTER INSERT OR UPDATE OR DELETE ON zone
FOR EACH STATEMENT EXECUTE FUNCTION tariffs_changed();
CREATE OR REPLACE TRIGGER city_calendar_tariffs_changed
AFTER INSERT OR UPDATE OR DELETE ON city_calendar
FOR EACH STATEMENT EXECUTE FUNCTION tariffs_changed();
CREATE OR REPLACE TRIGGER tariff_effect_tariffs_changed
AFTER INSERT OR UPDATE OR DELETE ON tariff_effect
FOR EACH STATEMENT EXECUTE FUNCTION tariffs_changed();

CREATE OR REPLACE TRIGGER tariff_suspension_tariffs_changed
AFTER INSERT OR UPDATE OR DELETE ON tariff_suspension
FOR EACH STATEMENT EXECUTE FUNCTION tariffs_changed();

-- Whoever has the city in memory reads again what has changed: places, districts and lots, or bays.
CREATE OR REPLACE TRIGGER place_registration_changed
AFTER INSERT OR UPDATE OR DELETE ON place
FOR EACH STATEMENT EXECUTE FUNCTION registration_changed();
CREATE OR REPLACE TRIGGER district_registration_changed
AFTER INSERT OR UPDATE OR DELETE ON district
FOR EACH STATEMENT EXECUTE FUNCTION registration_changed();
CREATE OR REPLACE TRIGGER lot_registration_changed
AFTER INSERT OR UPDATE OR DELETE ON lot
FOR EACH STATEMENT EXECUTE FUNCTION registration_changed();
CREATE OR REPLACE TRIGGER space_registration_changed
AFTER INSERT OR UPDATE OR DELETE ON space
FOR EACH STATEMENT EXECUTE FUNCTION registration_changed();

-- What is never undone, whoever asks for it, a replica's apply worker included.
CREATE OR REPLACE TRIGGER tariff_version_stays BEFORE UPDATE OR DELETE ON tariff_version
FOR EACH ROW EXECUTE FUNCTION tariff_version_stays();
ALTER TABLE tariff_version ENABLE ALWAYS TRIGGER tariff_version_stays;

CREATE OR REPLACE TRIGGER price_mechanism_stays BEFORE UPDATE OR DELETE ON price_mechanism
FOR EACH ROW EXECUTE FUNCTION price_mechanism_stays();
ALTER TABLE price_mechanism ENABLE ALWAYS TRIGGER price_mechanism_stays;

CREATE OR REPLACE TRIGGER api_key_stays BEFORE UPDATE ON api_key
FOR EACH ROW EXECUTE FUNCTION api_key_stays();
ALTER TABLE api_key ENABLE ALWAYS TRIGGER api_key_stays;

CREATE OR REPLACE TRIGGER audit_entry_stays
BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays();
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_stays;

CREATE OR REPLACE TRIGGER audit_entry_follows BEFORE INSERT ON audit_entry
FOR EACH ROW EXECUTE FUNCTION audit_entry_follows();
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_follows;
