-- Draft a zone; no row where its id is taken.
-- $1 zone_id, $2 name_zh, $3 name_en, $4 zone_class, $5 valid_from, $6 valid_to or null,
-- $7 zone_ids that it replaces, $8 its ground as EWKB, degrees in WGS 84, $9 by whom, $10 when
-- Index: zone_draft_pkey, zone_pkey.
INSERT INTO zone_draft (
    zone_id, name_zh, name_en, zone_class, valid_from, valid_to, replaces, geom, drafted_by,
    drafted_at
)
SELECT
    $1 AS zone_id,
    $2 AS name_zh,
    $3 AS name_en,
    $4 AS zone_class,
    $5 AS valid_from,
    $6 AS valid_to,
    $7 AS replaces,
    st_geomfromewkb($8) AS geom,
    $9 AS drafted_by,
    $10 AS drafted_at
WHERE
    NOT EXISTS (
        SELECT 1 FROM zone
        WHERE zone_id = $1
    )
ON CONFLICT (zone_id) DO NOTHING
RETURNING
    zone_id, name_zh, name_en, zone_class, valid_from, valid_to, replaces, state, drafted_by,
    drafted_at, published_by, published_at, st_area(geom::geography) AS area_m2,
    md5(st_asewkb(geom)) AS ground, st_asgeojson(geom, 7) AS geojson
