-- Add version 1 of a tariff that was in force before it came into the platform.
-- $1 tariff_id, $2 document as JSON text, $3 its hash, $4 zone_ids, $5 lot types, $6 lot_ids,
-- $7 by whom, $8 when
-- Index: tariff_version_pkey.
INSERT INTO tariff_version (
    tariff_id, version, document, content_hash, zones, lot_types, lots, state, imported, drafted_by,
    drafted_at, published_by, published_at
)
VALUES ($1, 1, ($2::text)::json, $3, $4, $5, $6, 'published', true, $7, $8, $7, $8)
