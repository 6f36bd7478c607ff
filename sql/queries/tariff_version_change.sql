-- Write a draft anew.
-- $1 tariff_id, $2 version, $3 document as JSON text, $4 its hash, $5 zone_ids, $6 lot types,
-- $7 lot_ids, $8 when
-- Index: tariff_version_pkey.
UPDATE tariff_version
SET
    document = ($3::text)::json,
    content_hash = $4,
    zones = $5,
    lot_types = $6,
    lots = $7,
    drafted_at = $8
WHERE tariff_id = $1 AND version = $2 AND state = 'draft'
