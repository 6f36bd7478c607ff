-- The number of a tariff's next version; the tariff is locked, see tariff_locked.sql.
-- $1 tariff_id
-- Index: tariff_version_pkey.
SELECT coalesce(max(version), 0) + 1 AS next_version FROM tariff_version
WHERE tariff_id = $1
