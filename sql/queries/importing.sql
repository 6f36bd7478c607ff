-- name: stage()
-- Make the temporary tables staged_* that rows are copied into; they go with the transaction.
-- Index: none.
DO $$
BEGIN
    CREATE TEMPORARY TABLE staged_operator (LIKE operator) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_gateway (LIKE gateway) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_district (LIKE district) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_zone (LIKE zone) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_lot (LIKE lot) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_space (LIKE space) ON COMMIT DROP;
END $$;

-- name: merge_operators()
-- Bring the table operator to what is staged; count what was given, new and changed.
-- Index: operator_pkey.
WITH written AS (
    INSERT INTO operator AS o (operator_id, name_zh, name_en)
    SELECT operator_id, name_zh, name_en FROM staged_operator
    ORDER BY operator_id
    ON CONFLICT (operator_id) DO UPDATE
        SET name_zh = excluded.name_zh, name_en = excluded.name_en
        WHERE (o.name_zh, o.name_en) IS DISTINCT FROM (excluded.name_zh, excluded.name_en)
    RETURNING (o.xmax = 0) AS is_new
)

SELECT
    (SELECT count(*) FROM staged_operator) AS given,
    count(*) FILTER (WHERE is_new) AS added,
    count(*) FILTER (WHERE NOT is_new) AS changed
FROM written;

-- name: merge_gateways()
-- Bring the table gateway to what is staged, passwords kept; count what was given, new and changed.
-- Index: gateway_pkey.
WITH written AS (
    INSERT INTO gateway AS g (gateway_id, operator_id, simulated)
    SELECT gateway_id, operator_id, simulated FROM staged_gateway
    ORDER BY gateway_id
    ON CONFLICT (gateway_id) DO UPDATE
        SET operator_id = excluded.operator_id, simulated = excluded.simulated
        WHERE (g.operator_id, g.simulated)
        IS DISTINCT FROM (excluded.operator_id, excluded.simulated)
    RETURNING (g.xmax = 0) AS is_new
)

SELECT
    (SELECT count(*) FROM staged_gateway) AS given,
    count(*) FILTER (WHERE is_new) AS added,
    count(*) FILTER (WHERE NOT is_new) AS changed
FROM written;

-- name: merge_districts()
-- Bring the table district to what is staged; count what was given, new and changed.
-- Index: district_pkey.
WITH written AS (
    INSERT INTO district AS d (adcode, name_zh, name_en, geom)
    SELECT adcode, name_zh, name_en, geom FROM staged_district
    ORDER BY adcode
    ON CONFLICT (adcode) DO UPDATE
        SET name_zh = excluded.name_zh, name_en = excluded.name_en, geom = excluded.geom
        WHERE (d.name_zh, d.name_en, d.geom)
        IS DISTINCT FROM (excluded.name_zh, excluded.name_en, excluded.geom)
    RETURNING (d.xmax = 0) AS is_new
)

SELECT
    (SELECT count(*) FROM staged_district) AS given,
    count(*) FILTER (WHERE is_new) AS added,
    count(*) FILTER (WHERE NOT is_new) AS changed
FROM written;

-- name: merge_zones()
-- Bring the table zone to what is staged, the end of a zone kept where none is given; count what
-- was given, new and changed.
-- Index: zone_pkey.
WITH written AS (
    INSERT INTO zone AS z (zone_id, name_zh, name_en, zone_class, valid_from, valid_to, geom)
    SELECT zone_id, name_zh, name_en, zone_class, valid_from, valid_to, geom FROM staged_zone
    ORDER BY zone_id
    ON CONFLICT (zone_id) DO UPDATE
        SET (name_zh, name_en, zone_class, valid_from, valid_to, geom) = (
            excluded.name_zh, excluded.name_en, excluded.zone_class, excluded.valid_from,
            coalesce(excluded.valid_to, z.valid_to), excluded.geom
        )
        WHERE (z.name_zh, z.name_en, z.zone_class, z.valid_from, z.valid_to, z.geom)
        IS DISTINCT FROM (
            excluded.name_zh, excluded.name_en, excluded.zone_class, excluded.valid_from,
            coalesce(excluded.valid_to, z.valid_to), excluded.geom
        )
    RETURNING (z.xmax = 0) AS is_new
)

SELECT
    (SELECT count(*) FROM staged_zone) AS given,
    count(*) FILTER (WHERE is_new) AS added,
    count(*) FILTER (WHERE NOT is_new) AS changed
FROM written;

-- name: derive_districts()
-- Give each staged lot that names no district the one that covers its point, if there is one.
-- Of several (a point on a common edge) the first by adcode.
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
WHERE s.district IS null;

-- name: merge_lots()
-- Bring the table lot to what is staged; count what was given, new and changed. The zone of a lot
-- is not set here, and its state is not touched.
-- Index: lot_pkey.
WITH written AS (
    INSERT INTO lot AS l (
        lot_id, operator_id, gateway_id, district, name_zh, name_en, lot_type, land_use, reporting,
        report_interval_s, capacity, levels, height_limit_m, opens_at, closes_at, timezone, geog
    )
    SELECT
        lot_id, operator_id, gateway_id, district, name_zh, name_en, lot_type, land_use, reporting,
        report_interval_s, capacity, levels, height_limit_m, opens_at, closes_at, timezone, geog
    FROM staged_lot
    ORDER BY lot_id
    ON CONFLICT (lot_id) DO UPDATE
        SET (
            operator_id, gateway_id, district, name_zh, name_en, lot_type, land_use, reporting,
            report_interval_s, capacity, levels, height_limit_m, opens_at, closes_at, timezone, geog
        ) = (
            excluded.operator_id, excluded.gateway_id, excluded.district, excluded.name_zh,
            excluded.name_en, excluded.lot_type, excluded.land_use, excluded.reporting,
            excluded.report_interval_s, excluded.capacity, excluded.levels,
            excluded.height_limit_m, excluded.opens_at, excluded.closes_at, excluded.timezone,
            excluded.geog
        )
        WHERE (
            l.operator_id, l.gateway_id, l.district, l.name_zh, l.name_en, l.lot_type, l.land_use,
            l.reporting, l.report_interval_s, l.capacity, l.levels, l.height_limit_m, l.opens_at,
            l.closes_at, l.timezone, l.geog
        ) IS DISTINCT FROM (
            excluded.operator_id, excluded.gateway_id, excluded.district, excluded.name_zh,
            excluded.name_en, excluded.lot_type, excluded.land_use, excluded.reporting,
            excluded.report_interval_s, excluded.capacity, excluded.levels,
            excluded.height_limit_m, excluded.opens_at, excluded.closes_at, excluded.timezone,
            excluded.geog
        )
    RETURNING (l.xmax = 0) AS is_new
)

SELECT
    (SELECT count(*) FROM staged_lot) AS given,
    count(*) FILTER (WHERE is_new) AS added,
    count(*) FILTER (WHERE NOT is_new) AS changed
FROM written;

-- name: stage_own_spaces()
-- Stage the bays of the staged lots from the lots alone, before these are merged: those that are
-- there up to the capacity, moved along where they stand at their lot's own point; and for lots
-- that report bays the ones that they lack, standard, at street level, at the lot's own point.
-- Index: lot_pkey, space_pkey.
INSERT INTO staged_space (lot_id, number, level, space_class, geog)
SELECT
    s.lot_id,
    n.number,
    coalesce(p.level, 0) AS street_level,
    coalesce(p.space_class, 'standard') AS space_class,
    CASE WHEN p.geog = l.geog THEN s.geog ELSE coalesce(p.geog, s.geog) END AS geog
FROM staged_lot AS s
CROSS JOIN LATERAL generate_series(1, s.capacity) AS n (number)
LEFT JOIN lot AS l ON s.lot_id = l.lot_id
LEFT JOIN space AS p ON s.lot_id = p.lot_id AND n.number = p.number
WHERE s.reporting = 'bays' OR p.lot_id IS NOT null;

-- name: merge_spaces()
-- Bring the bays of the staged lots to those that are staged; count what was given, new, changed
-- and deleted. They are added in the order in which they are asked for: the bays of a lot then lie
-- on neighbouring pages.
-- Index: none, both sides are read whole; fills space_geog_idx, unless that is made afterwards.
WITH gone AS (
    DELETE FROM space AS p
    USING staged_lot AS l
    WHERE
        p.lot_id = l.lot_id
        AND NOT EXISTS (
            SELECT 1
            FROM staged_space AS s
            WHERE s.lot_id = p.lot_id AND s.number = p.number
        )
    RETURNING 1
),

changed AS (
    UPDATE space AS p
    SET level = s.level, space_class = s.space_class, geog = s.geog
    FROM staged_space AS s
    WHERE
        p.lot_id = s.lot_id
        AND p.number = s.number
        AND (p.level, p.space_class, p.geog) IS DISTINCT FROM (s.level, s.space_class, s.geog)
    RETURNING 1
),

added AS (
    INSERT INTO space (lot_id, number, level, space_class, geog)
    SELECT s.lot_id, s.number, s.level, s.space_class, s.geog
    FROM staged_space AS s
    WHERE
        NOT EXISTS (
            SELECT 1
            FROM space AS p
            WHERE p.lot_id = s.lot_id AND p.number = s.number
        )
    ORDER BY s.lot_id, s.number
    RETURNING 1
)

SELECT
    (SELECT count(*) FROM staged_space) AS given,
    (SELECT count(*) FROM added) AS added,
    (SELECT count(*) FROM changed) AS changed,
    (SELECT count(*) FROM gone) AS gone;

-- name: suspend_space_checks()
-- While there is no bay yet, drop what makes adding many slow; whether that was so.
-- Index: none.
SELECT suspend_space_checks();

-- name: resume_space_checks()
-- Make again what suspend_space_checks dropped.
-- Index: makes space_geog_idx.
SELECT resume_space_checks();

-- name: analyze_registration()
-- Renew the planner's statistics of lots and bays.
-- Index: none.
SELECT analyze_registration();

-- name: notify(lot_ids)
-- Tell whoever listens on the channel `registry`, at COMMIT, to read these lots again, and the
-- gateways; the ids are separated by spaces, none stand for all lots.
-- Index: none.
SELECT pg_notify('registry', :lot_ids);

-- name: foreign_gateways()
-- The lots whose gateway belongs to another operator than the lot, which an import must not leave.
-- Index: none, both tables are read whole.
SELECT
    l.lot_id,
    l.operator_id,
    l.gateway_id,
    g.operator_id AS gateway_operator_id
FROM lot AS l
INNER JOIN gateway AS g ON l.gateway_id = g.gateway_id
WHERE l.operator_id <> g.operator_id
ORDER BY l.lot_id;

-- name: operator_ids()
-- Every operator's id.
-- Index: operator_pkey.
SELECT operator_id FROM operator;

-- name: gateways()
-- Whose each gateway is.
-- Index: none, the table is read whole.
SELECT gateway_id, operator_id FROM gateway;

-- name: districts()
-- Every district with its polygon as WKB, WGS 84 degrees.
-- Index: none, the table is read whole.
SELECT adcode, st_asbinary(geom) AS wkb FROM district;

-- name: timezones()
-- The time zones that the database can count in: an unknown one would break every reading of lots.
-- Index: none.
SELECT name FROM pg_timezone_names;

-- name: stored_lots(lot_ids)
-- The lots of these ids as an import would write them, every value as text.
-- Index: lot_pkey.
SELECT
    lot_id,
    operator_id,
    gateway_id,
    name_zh,
    name_en,
    lot_type,
    land_use,
    reporting,
    report_interval_s::text AS report_interval_s,
    levels::text AS levels,
    height_limit_m::text AS height_limit_m,
    to_char(opens_at, 'HH24:MI') AS opens_at,
    to_char(closes_at, 'HH24:MI') AS closes_at,
    timezone
FROM lot
WHERE lot_id = any(:lot_ids::text[]);

-- name: add_version(tariff_id, document_text, content_hash, zones, lot_types, lots, by, at)
-- Add version 1 of a tariff that was in force before it came into the platform, the document as
-- JSON text.
-- Index: tariff_version_pkey.
INSERT INTO tariff_version (
    tariff_id, version, document, content_hash, zones, lot_types, lots, state, imported, drafted_by,
    drafted_at, published_by, published_at
)
VALUES (
    :tariff_id, 1, (:document_text::text)::json, :content_hash, :zones, :lot_types, :lots,
    'published', true, :by, :at, :by, :at
);
