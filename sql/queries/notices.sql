-- name: places(zone_ids, lot_ids)
-- The names of some zones and lots, by id.
-- Index: zone_pkey, lot_pkey.
SELECT name_zh, name_en
FROM (
    SELECT zone_id AS id, name_zh, name_en
    FROM zone
    WHERE zone_id = any(:zone_ids::text[])
    UNION ALL
    SELECT lot_id AS id, name_zh, name_en
    FROM lot
    WHERE lot_id = any(:lot_ids::text[])
) AS named
ORDER BY id;
