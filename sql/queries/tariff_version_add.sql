-- Draft a version of a tariff.
-- $1 tariff_id, $2 version, $3 document as JSON text, $4 its hash, $5 zone_ids, $6 lot types,
-- $7 lot_ids, $8 the version that it goes back to, or null, $9 by whom, $10 when
-- Index: tariff_version_pkey.
INSERT INTO tariff_version (
    tariff_id, version, document, content_hash, zones, lot_types, lots, copy_of, drafted_by,
    drafted_at
)
VALUES ($1, $2, ($3::text)::json, $4, $5, $6, $7, $8, $9, $10)
