-- One draft of a zone, whatever its state; locked to the transaction's end.
-- $1 zone_id
-- Index: zone_draft_pkey.
SELECT
    zone_id,
    name_zh,
    name_en,
    zone_class,
    valid_from,
    valid_to,
    replaces,
    state,
    drafted_by,
    drafted_at,
    published_by,
    published_at,
    st_area(geom::geography) AS area_m2,
    md5(st_asewkb(geom)) AS ground,
    st_asgeojson(geom, 7) AS geojson
FROM zone_draft
WHERE zone_id = $1
FOR NO KEY UPDATE
