-- name: zones_at(at, zone_id)
-- The zones in force at a time, in [valid_from, valid_to), by zone_id; or one of them. Their ground
-- is GeoJSON, degrees in WGS 84.
-- Index: zone_pkey where one is asked for; there are tens of zones.
SELECT
    zone_id, json_build_object('zh', name_zh, 'en', name_en) AS name, zone_class, valid_from,
    valid_to, st_asgeojson(geom, 7) AS geometry
FROM zone
WHERE
    valid_from <= :at
    AND (valid_to IS null OR valid_to > :at)
    AND (:zone_id::text IS null OR zone_id = :zone_id)
ORDER BY zone_id;

-- name: published(zone_id)
-- One published zone whenever it is in force, without its ground; locked to the transaction's end.
-- Index: zone_pkey.
SELECT
    zone_id, json_build_object('zh', name_zh, 'en', name_en) AS name, zone_class, valid_from,
    valid_to
FROM zone
WHERE zone_id = :zone_id
FOR NO KEY UPDATE;

-- name: drafts()
-- The drafts that are neither published nor withdrawn, by zone_id, without their ground.
-- Index: none; there are a few.
SELECT
    zone_id, json_build_object('zh', name_zh, 'en', name_en) AS name, zone_class, valid_from,
    valid_to, replaces, state, drafted_by, drafted_at, published_by, published_at
FROM zone_draft
WHERE state = 'draft'
ORDER BY zone_id;

-- name: draft(zone_id)
-- One draft, whatever its state; locked to the transaction's end. Its area is in square metres.
-- Index: zone_draft_pkey.
SELECT
    zone_id, json_build_object('zh', name_zh, 'en', name_en) AS name, zone_class, valid_from,
    valid_to, replaces, state, drafted_by, drafted_at, published_by, published_at,
    st_area(geom::geography) AS area_m2, md5(st_asewkb(geom)) AS ground,
    st_asgeojson(geom, 7) AS geometry
FROM zone_draft
WHERE zone_id = :zone_id
FOR NO KEY UPDATE;

-- name: add_draft(zone_id, name_zh, name_en, zone_class, valid_from, valid_to, replaces, ewkb, by, at)
-- Draft a zone, its ground as EWKB in WGS 84; no row where its id is taken.
-- Index: zone_draft_pkey, zone_pkey.
INSERT INTO zone_draft (
    zone_id, name_zh, name_en, zone_class, valid_from, valid_to, replaces, geom, drafted_by,
    drafted_at
)
SELECT
    :zone_id, :name_zh, :name_en, :zone_class, :valid_from, :valid_to, :replaces,
    st_geomfromewkb(:ewkb), :by, :at
WHERE
    NOT EXISTS (
        SELECT 1 FROM zone
        WHERE zone_id = :zone_id
    )
ON CONFLICT (zone_id) DO NOTHING
RETURNING
    zone_id, json_build_object('zh', name_zh, 'en', name_en) AS name, zone_class, valid_from,
    valid_to, replaces, state, drafted_by, drafted_at, published_by, published_at,
    st_area(geom::geography) AS area_m2, md5(st_asewkb(geom)) AS ground,
    st_asgeojson(geom, 7) AS geometry;

-- name: change_draft(zone_id, name_zh, name_en, zone_class, valid_from, valid_to, replaces, ewkb, at)
-- Draw a draft anew, its ground as EWKB in WGS 84.
-- Index: zone_draft_pkey.
UPDATE zone_draft
SET
    name_zh = :name_zh,
    name_en = :name_en,
    zone_class = :zone_class,
    valid_from = :valid_from,
    valid_to = :valid_to,
    replaces = :replaces,
    geom = st_geomfromewkb(:ewkb),
    drafted_at = :at
WHERE zone_id = :zone_id
RETURNING
    zone_id, json_build_object('zh', name_zh, 'en', name_en) AS name, zone_class, valid_from,
    valid_to, replaces, state, drafted_by, drafted_at, published_by, published_at,
    st_area(geom::geography) AS area_m2, md5(st_asewkb(geom)) AS ground,
    st_asgeojson(geom, 7) AS geometry;

-- name: settle_draft(zone_id, state, by, at)
-- Say what became of a draft, and who published it and when, if somebody did.
-- Index: zone_draft_pkey.
UPDATE zone_draft
SET
    state = :state,
    published_by = :by,
    published_at = :at
WHERE zone_id = :zone_id
RETURNING
    zone_id, json_build_object('zh', name_zh, 'en', name_en) AS name, zone_class, valid_from,
    valid_to, replaces, state, drafted_by, drafted_at, published_by, published_at,
    st_area(geom::geography) AS area_m2, md5(st_asewkb(geom)) AS ground,
    st_asgeojson(geom, 7) AS geometry;

-- name: lots_within(zone_id)
-- How many lots a draft contains, but for those that are retired.
-- Index: zone_draft_pkey, lot_geog_idx.
SELECT count(l.lot_id)
FROM zone_draft AS d
INNER JOIN lot AS l ON l.geog && d.geom::geography AND st_covers(d.geom, l.geog::geometry)
WHERE d.zone_id = :zone_id AND l.retired_at IS null;

-- name: put_in_force(zone_id)
-- Make a draft a zone; no row where there is a zone of that id.
-- Index: zone_draft_pkey, zone_pkey.
INSERT INTO zone (zone_id, name_zh, name_en, zone_class, valid_from, valid_to, geom)
SELECT zone_id, name_zh, name_en, zone_class, valid_from, valid_to, geom
FROM zone_draft
WHERE zone_id = :zone_id
ON CONFLICT (zone_id) DO NOTHING
RETURNING zone_id;

-- name: end_zone(zone_id, valid_to)
-- Let a zone end before `valid_to`, no later than was said before; no row where that cannot be.
-- Index: zone_pkey.
UPDATE zone
SET valid_to = :valid_to
WHERE
    zone_id = :zone_id
    AND valid_from < :valid_to
    AND (valid_to IS null OR valid_to >= :valid_to)
RETURNING
    zone_id, json_build_object('zh', name_zh, 'en', name_en) AS name, zone_class, valid_from,
    valid_to;

-- name: overlaps(zone_ids, tolerance_m2, border_m)
-- Pairs of zones that share more than `tolerance_m2` while both are in force, at least one of them
-- among those given. Two borders up to `border_m` metres apart are one.
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
        AND (a.zone_id < b.zone_id OR b.zone_id <> all(:zone_ids::text[]))
CROSS JOIN
    LATERAL (
        -- Shrunk by half of what counts as one line, such a strip is gone, and the rest is there.
        SELECT st_area(
            st_buffer(
                st_collectionextract(st_intersection(a.geom, b.geom), 3)::geography,
                -:border_m::double precision / 2
            )
        ) AS area_m2
    ) AS shared
WHERE
    a.zone_id = any(:zone_ids)
    AND st_intersects(a.geom, b.geom)
    AND shared.area_m2 > :tolerance_m2::double precision
ORDER BY a.zone_id, b.zone_id;

-- name: is_turning(after, until)
-- Whether a zone begins or ends in (after, until].
-- Index: none; there are tens of zones.
SELECT count(*) > 0
FROM zone
WHERE
    (valid_from > :after AND valid_from <= :until) OR (valid_to > :after AND valid_to <= :until);

-- name: move_lots(at)
-- Give every lot the zone in force at a time that covers its point, or none. Of several the one
-- that came into force last, then the first by zone_id.
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
                AND z.valid_from <= :at
                AND (z.valid_to IS null OR z.valid_to > :at)
            ORDER BY z.valid_from DESC, z.zone_id ASC
            LIMIT 1
        ) AS zone_id
    FROM lot AS p
) AS found
WHERE l.lot_id = found.lot_id AND l.zone_id IS DISTINCT FROM found.zone_id;
