-- Zones that a draft would share ground with while both are in force.
-- $1 zone_id of the draft  $2 zone_ids that it replaces  $3 how many square metres two may share
-- $4 metres of width up to which two borders are one
-- Index: zone_geom_idx, zone_draft_pkey.
SELECT
    a.zone_id,
    b.zone_id AS other_id,
    shared.area_m2,
    greatest(a.valid_from, b.valid_from) AS since
FROM zone_draft AS a
INNER JOIN zone AS b
    ON
        a.geom && b.geom
        AND tstzrange(a.valid_from, a.valid_to) && tstzrange(b.valid_from, b.valid_to)
        AND a.zone_id <> b.zone_id
        AND b.zone_id <> all($2::text[])
CROSS JOIN
    LATERAL (
        -- Shrunk by half of what counts as one line, such a strip is gone, and the rest is there.
        SELECT st_area(
            st_buffer(
                st_collectionextract(st_intersection(a.geom, b.geom), 3)::geography,
                -$4::double precision / 2
            )
        ) AS area_m2
    ) AS shared
WHERE
    a.zone_id = $1
    AND st_intersects(a.geom, b.geom)
    AND shared.area_m2 > $3::double precision
ORDER BY b.zone_id
