-- One published zone whenever it is in force, without its ground; locked to the transaction's end.
-- $1 zone_id
-- Index: zone_pkey.
SELECT
    zone_id,
    name_zh,
    name_en,
    zone_class,
    valid_from,
    valid_to
FROM zone
WHERE zone_id = $1
FOR NO KEY UPDATE
