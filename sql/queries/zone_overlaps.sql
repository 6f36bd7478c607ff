-- Pairs of zones that share ground while both are in force, at least one of them among those given.
-- $1 zone_ids  $2 how many square metres two may share
-- $3 metres of width up to which two borders are one
-- Index: zone_geom_idx.
SELECT
    a.zone_id,
    b.zone_id AS other_id,
    shared.area_m2,
    greatest(a.valid_from, b.valid_from) AS since
FROM zone AS a
INNER JOIN zone AS b
    ON
        a.geom && b.geom
        AND tstzrange(a.valid_from, a.valid_to) && tstzrange(b.valid_from, b.valid_to)
        AND a.zone_id <> b.zone_id
        -- Of a pair that is given whole, one direction.
        AND (a.zone_id < b.zone_id OR b.zone_id <> all($1::text[]))
CROSS JOIN
    LATERAL (
        -- Shrunk by half of what counts as one line, such a strip is gone, and the rest is there.
        SELECT st_area(
            st_buffer(
                st_collectionextract(st_intersection(a.geom, b.geom), 3)::geography,
                -$3::double precision / 2
            )
        ) AS area_m2
    ) AS shared
WHERE
    a.zone_id = any($1)
    AND st_intersects(a.geom, b.geom)
    AND shared.area_m2 > $2::double precision
ORDER BY a.zone_id, b.zone_id
