-- Give each staged lot that names no district the one that covers its point, if there is one.
-- Of several (a point on a common edge) the first by adcode.
-- Parameters: none; changes the temporary table staged_lot.
-- Index: district_geom_idx.
UPDATE staged_lot AS s
SET
    district = (
        SELECT d.adcode
        FROM district AS d
        WHERE st_covers(d.geom, s.geog::geometry)
        ORDER BY d.adcode
        LIMIT 1
    )
WHERE s.district IS NULL;
