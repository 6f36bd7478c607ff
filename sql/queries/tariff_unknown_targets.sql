-- Of some zones and lots those that are not there.
-- $1 zone_ids  $2 lot_ids
-- Index: zone_pkey, lot_pkey.
SELECT
    'zones' AS kind,
    given.id
FROM unnest($1::text[]) AS given (id)
WHERE
    NOT EXISTS (
        SELECT 1 FROM zone
        WHERE zone.zone_id = given.id
    )
UNION ALL
SELECT
    'lots' AS kind,
    given.id
FROM unnest($2::text[]) AS given (id)
WHERE
    NOT EXISTS (
        SELECT 1 FROM lot
        WHERE lot.lot_id = given.id
    )
ORDER BY kind, id
