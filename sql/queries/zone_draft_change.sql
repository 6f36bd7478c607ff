-- Draw the draft of a zone anew.
-- $1 zone_id, $2 name_zh, $3 name_en, $4 zone_class, $5 valid_from, $6 valid_to or null,
-- $7 zone_ids that it replaces, $8 its ground as EWKB, degrees in WGS 84, $9 when
-- Index: zone_draft_pkey.
UPDATE zone_draft
SET
    name_zh = $2,
    name_en = $3,
    zone_class = $4,
    valid_from = $5,
    valid_to = $6,
    replaces = $7,
    geom = st_geomfromewkb($8),
    drafted_at = $9
WHERE zone_id = $1
RETURNING
    zone_id, name_zh, name_en, zone_class, valid_from, valid_to, replaces, state, drafted_by,
    drafted_at, published_by, published_at, st_area(geom::geography) AS area_m2,
    md5(st_asewkb(geom)) AS ground, st_asgeojson(geom, 7) AS geojson
