-- Every lot with each zone that ever contains it, the one that came into force last first; a lot
-- that no zone contains has one row with nulls.
-- No parameters.
-- Index: lot_geog_idx.
WITH contained AS (
    SELECT
        l.lot_id,
        z.zone_id,
        z.valid_from,
        z.valid_to
    FROM zone AS z
    INNER JOIN lot AS l ON l.geog && z.geom::geography AND st_covers(z.geom, l.geog::geometry)
)

SELECT
    l.lot_id,
    l.lot_type,
    c.zone_id,
    c.valid_from,
    c.valid_to
FROM lot AS l
LEFT JOIN contained AS c ON l.lot_id = c.lot_id
ORDER BY l.lot_id ASC, c.valid_from DESC, c.zone_id ASC
