-- Say what became of the draft of a zone.
-- $1 zone_id  $2 state  $3 who published it, or null  $4 when, or null
-- Index: zone_draft_pkey.
UPDATE zone_draft
SET
    state = $2,
    published_by = $3,
    published_at = $4
WHERE zone_id = $1
RETURNING
    zone_id, name_zh, name_en, zone_class, valid_from, valid_to, replaces, state, drafted_by,
    drafted_at, published_by, published_at, st_area(geom::geography) AS area_m2,
    md5(st_asewkb(geom)) AS ground, st_asgeojson(geom, 7) AS geojson
