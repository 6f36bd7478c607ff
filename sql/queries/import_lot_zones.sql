-- Give every lot the zone in force that covers its point, or none. Of several the one that came
-- into force last, then the first by zone_id.
-- Parameters: $1 the time, timestamptz; a zone is in force in [valid_from, valid_to).
-- Index: zone_geom_idx.
UPDATE lot AS l
SET zone_id = found.zone_id
FROM (
    SELECT
        p.lot_id,
        (
            SELECT z.zone_id
            FROM zone AS z
            WHERE
                st_covers(z.geom, p.geog::geometry)
                AND z.valid_from <= $1
                AND (z.valid_to IS NULL OR z.valid_to > $1)
            ORDER BY z.valid_from DESC, z.zone_id ASC
            LIMIT 1
        ) AS zone_id
    FROM lot AS p
) AS found
WHERE l.lot_id = found.lot_id AND l.zone_id IS DISTINCT FROM found.zone_id;
