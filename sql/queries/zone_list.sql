-- The zones in force at a time, in [valid_from, valid_to), by zone_id; or one of them.
-- $1 the time, timestamptz  $2 zone_id, or null for all
-- Index: zone_pkey where one is asked for; there are tens of zones.
SELECT
    zone_id,
    name_zh,
    name_en,
    zone_class,
    valid_from,
    valid_to,
    st_asgeojson(geom, 7) AS geojson
FROM zone
WHERE
    valid_from <= $1
    AND (valid_to IS NULL OR valid_to > $1)
    AND ($2::text IS NULL OR zone_id = $2)
ORDER BY zone_id
