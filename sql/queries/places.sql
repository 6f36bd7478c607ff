-- name: named_things(after_rank, after_id, most)
-- All that drivers know by a name: places, then districts, then lots that are not retired, each by its
-- id; a page, from the one after `after_rank`, `after_id` on. Degrees in WGS 84; of a district a point
-- inside it.
-- Index: none, the tables are read whole.
SELECT
    rank, kind, id, name_zh, name_en, district, longitude, latitude
FROM (
    SELECT
        0 AS rank,
        'place' AS kind,
        place_id AS id,
        name_zh,
        name_en,
        district,
        st_x(geog::geometry) AS longitude,
        st_y(geog::geometry) AS latitude
    FROM place
    UNION ALL
    SELECT
        1 AS rank,
        'district' AS kind,
        d.adcode AS id,
        d.name_zh,
        d.name_en,
        d.adcode AS district,
        st_x(st_pointonsurface(d.geom)) AS longitude,
        st_y(st_pointonsurface(d.geom)) AS latitude
    FROM district AS d
    UNION ALL
    SELECT
        2 AS rank,
        'lot' AS kind,
        lot_id AS id,
        name_zh,
        name_en,
        district,
        st_x(geog::geometry) AS longitude,
        st_y(geog::geometry) AS latitude
    FROM lot
    WHERE retired_at IS null
) AS named
WHERE (rank, id) > (:after_rank::integer, :after_id::text)
ORDER BY rank, id
LIMIT :most;
