-- The classes of some zones, and the classes of the zones and the types of some lots.
-- $1 zone_ids  $2 lot types  $3 lot_ids
-- Index: zone_pkey, lot_pkey.
SELECT
    array(
        SELECT z.zone_class FROM zone AS z
        WHERE z.zone_id = any($1::text[])
        UNION
        SELECT z.zone_class FROM lot AS l
        INNER JOIN zone AS z ON l.zone_id = z.zone_id
        WHERE l.lot_id = any($3::text[])
        ORDER BY zone_class
    )::smallint[] AS zone_classes,
    array(
        SELECT unnest($2::text[]) AS lot_type
        UNION
        SELECT l.lot_type FROM lot AS l
        WHERE l.lot_id = any($3)
        ORDER BY lot_type
    ) AS lot_types
