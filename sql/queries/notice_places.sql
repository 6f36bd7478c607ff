-- Names of some zones and lots, by id.
-- $1 zone_ids  $2 lot_ids
-- Index: zone_pkey, lot_pkey.
SELECT
    zone_id AS id,
    name_zh
FROM zone
WHERE zone_id = any($1::text[])
UNION ALL
SELECT
    lot_id AS id,
    name_zh
FROM lot
WHERE lot_id = any($2::text[])
ORDER BY id
