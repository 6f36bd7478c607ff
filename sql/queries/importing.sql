-- name: stage()
-- Make the temporary tables staged_* that rows are copied into; they go with the transaction.
-- Index: none.
DO $$
BEGIN
    CREATE TEMPORARY TABLE staged_operator (LIKE operator) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_gateway (LIKE gateway INCLUDING DEFAULTS) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_district (LIKE district) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_place (LIKE place) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_zone (LIKE zone) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_lot (LIKE lot) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_space (LIKE space) ON COMMIT DROP;
END $$;

-- name: merge_operators()
-- Bring the table operator to what is staged; for each row written, whether it is new.
-- Index: operator_pkey.
INSERT INTO operator (operator_id, name_zh, name_en)
SELECT operator_id, name_zh, name_en FROM staged_operator
EXCEPT
SELECT operator_id, name_zh, name_en FROM operator
ORDER BY operator_id
ON CONFLICT (operator_id) DO UPDATE
    SET name_zh = excluded.name_zh, name_en = excluded.name_en
RETURNING xmax = 0 AS is_new;

-- name: merge_gateways()
-- Bring the table gateway to what is staged; for each row written, whether it is new. A gateway keeps
-- its password unless it goes to another operator: whoever ran it knows the password.
-- Index: gateway_pkey.
INSERT INTO gateway AS g (gateway_id, operator_id, simulated)
SELECT gateway_id, operator_id, simulated FROM staged_gateway
EXCEPT
SELECT gateway_id, operator_id, simulated FROM gateway
ORDER BY gateway_id
ON CONFLICT (gateway_id) DO UPDATE
    SET
        operator_id = excluded.operator_id,
        simulated = excluded.simulated,
        password_hash
        = CASE WHEN g.operator_id = excluded.operator_id THEN g.password_hash END,
        password_by_person = g.password_by_person AND g.operator_id = excluded.operator_id
RETURNING xmax = 0 AS is_new;

-- name: merge_districts()
-- Bring the table district to what is staged; for each row written, whether it is new.
-- Index: district_pkey.
INSERT INTO district (adcode, name_zh, name_en, geom)
SELECT adcode, name_zh, name_en, geom FROM staged_district
EXCEPT
SELECT adcode, name_zh, name_en, geom FROM district
ORDER BY adcode
ON CONFLICT (adcode) DO UPDATE
    SET name_zh = excluded.name_zh, name_en = excluded.name_en, geom = excluded.geom
RETURNING xmax = 0 AS is_new;

-- name: merge_places()
-- Bring the table place to what is staged, after districts; a place that names no district gets the
-- one that covers it, of several the first by adcode. For each row written, whether it is new.
-- Index: place_pkey, district_geom_idx.
WITH given AS (
    SELECT
        s.place_id,
        s.name_zh,
        s.name_en,
        s.geog,
        coalesce(
            s.district,
            (
                SELECT d.adcode
                FROM district AS d
                WHERE st_covers(d.geom, s.geog::geometry)
                ORDER BY d.adcode
                LIMIT 1
            )
        ) AS district
    FROM staged_place AS s
)

INSERT INTO place (place_id, name_zh, name_en, district, geog)
SELECT place_id, name_zh, name_en, district, geog FROM given
EXCEPT
SELECT place_id, name_zh, name_en, district, geog FROM place
ORDER BY place_id
ON CONFLICT (place_id) DO UPDATE
    SET
        name_zh = excluded.name_zh,
        name_en = excluded.name_en,
        district = excluded.district,
        geog = excluded.geog
RETURNING xmax = 0 AS is_new;

-- name: merge_zones()
-- Bring the table zone to what is staged, the end of a zone kept where none is given; for each row
-- written, whether it is new. What is there is compared under its lock: the bureau ends zones.
-- Index: zone_pkey.
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
RETURNING z.xmax = 0 AS is_new;

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

-- name: merge_lots(has_closures, has_retired)
-- Bring the table lot to what is staged; for each row written, whether it is new. The zone of a lot
-- is not set here, and its state is not touched. Closures and retirement are kept where they are not
-- staged: as they are when the row is locked, since people change them meanwhile. A lot that stays
-- retired keeps the time since which it is.
-- Index: lot_pkey.
WITH given AS (
    SELECT
        s.lot_id, s.operator_id, s.gateway_id, s.district, s.name_zh, s.name_en, s.lot_type,
        s.land_use, s.reporting, s.report_interval_s, s.capacity, s.levels, s.height_limit_m,
        s.opens_at, s.closes_at, s.timezone, s.geog,
        CASE WHEN :has_closures::boolean THEN s.closed_from ELSE l.closed_from END AS closed_from,
        CASE WHEN :has_closures THEN s.closed_until ELSE l.closed_until END AS closed_until,
        CASE WHEN :has_closures THEN s.closed_reason ELSE l.closed_reason END AS closed_reason,
        CASE
            WHEN NOT :has_retired::boolean THEN l.retired_at
            WHEN s.retired_at IS NOT null THEN coalesce(l.retired_at, s.retired_at)
        END AS retired_at
    FROM staged_lot AS s
    LEFT JOIN lot AS l ON s.lot_id = l.lot_id
)

INSERT INTO lot AS l (
    lot_id, operator_id, gateway_id, district, name_zh, name_en, lot_type, land_use, reporting,
    report_interval_s, capacity, levels, height_limit_m, opens_at, closes_at, timezone, geog,
    closed_from, closed_until, closed_reason, retired_at
)
SELECT
    lot_id, operator_id, gateway_id, district, name_zh, name_en, lot_type, land_use, reporting,
    report_interval_s, capacity, levels, height_limit_m, opens_at, closes_at, timezone, geog,
    closed_from, closed_until, closed_reason, retired_at
FROM given
EXCEPT
SELECT
    lot_id, operator_id, gateway_id, district, name_zh, name_en, lot_type, land_use, reporting,
    report_interval_s, capacity, levels, height_limit_m, opens_at, closes_at, timezone, geog,
    closed_from, closed_until, closed_reason, retired_at
FROM lot
ORDER BY lot_id
ON CONFLICT (lot_id) DO UPDATE
    SET (
        operator_id, gateway_id, district, name_zh, name_en, lot_type, land_use, reporting,
        report_interval_s, capacity, levels, height_limit_m, opens_at, closes_at, timezone, geog,
        closed_from, closed_until, closed_reason, retired_at
    ) = (
        excluded.operator_id, excluded.gateway_id, excluded.district, excluded.name_zh,
        excluded.name_en, excluded.lot_type, excluded.land_use, excluded.reporting,
        excluded.report_interval_s, excluded.capacity, excluded.levels, excluded.height_limit_m,
        excluded.opens_at, excluded.closes_at, excluded.timezone, excluded.geog,
        CASE WHEN :has_closures THEN excluded.closed_from ELSE l.closed_from END,
        CASE WHEN :has_closures THEN excluded.closed_until ELSE l.closed_until END,
        CASE WHEN :has_closures THEN excluded.closed_reason ELSE l.closed_reason END,
        CASE WHEN :has_retired THEN excluded.retired_at ELSE l.retired_at END
    )
RETURNING l.xmax = 0 AS is_new;

-- name: lock_handed_lots(has_closures, has_retired)
-- The staged lots whose operator, gateway, closure or retirement the import will change, as they
-- are before; nobody else changes them until it ends.
-- Index: lot_pkey.
SELECT
    l.lot_id, l.operator_id, l.gateway_id, l.closed_from, l.closed_until, l.closed_reason,
    l.retired_at
FROM staged_lot AS s
INNER JOIN lot AS l ON s.lot_id = l.lot_id
WHERE
    (l.operator_id, l.gateway_id) <> (s.operator_id, s.gateway_id)
    OR (
        :has_closures::boolean
        AND (l.closed_from, l.closed_until, l.closed_reason)
        IS DISTINCT FROM (s.closed_from, s.closed_until, s.closed_reason)
    )
    OR (:has_retired::boolean AND (l.retired_at IS null) <> (s.retired_at IS null))
ORDER BY l.lot_id
FOR NO KEY UPDATE OF l;

-- name: handed_lots(lot_ids)
-- The same of some lots as they are now.
-- Index: lot_pkey.
SELECT
    lot_id, operator_id, gateway_id, closed_from, closed_until, closed_reason, retired_at
FROM lot
WHERE lot_id = any(:lot_ids::text[])
ORDER BY lot_id;

-- name: lots_taken_over()
-- The staged lots that go to a gateway of another operator, before they are merged. A lot whose own
-- gateway goes with it is none of them: that gateway's numbering goes on.
-- Index: lot_pkey.
SELECT s.lot_id
FROM staged_lot AS s
INNER JOIN lot AS l ON s.lot_id = l.lot_id
WHERE s.operator_id <> l.operator_id AND s.gateway_id <> l.gateway_id
ORDER BY s.lot_id;

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

-- name: analyze_staged()
-- Let the planner know how many lots and bays are staged: merge_spaces would take minutes else where
-- other lots have bays already.
-- Index: none.
ANALYZE staged_lot, staged_space;

-- name: merge_spaces()
-- Bring the bays of the staged lots to those that are staged; count the new, changed and deleted
-- ones. They are added in the order in which they are asked for: the bays of a lot then lie
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
-- Have all listeners of the channel `registry` read these lots again at COMMIT, and the
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
-- Every gateway with its operator.
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
-- The lots of these ids, each with the cells that a row of a file would have, but for place,
-- district and capacity: a JSON object of texts, without those that are null.
-- Index: lot_pkey.
SELECT
    lot_id,
    json_strip_nulls(
        json_build_object(
            'operator_id', operator_id, 'gateway_id', gateway_id, 'name_zh', name_zh,
            'name_en', name_en, 'lot_type', lot_type, 'land_use', land_use, 'reporting', reporting,
            'report_interval_s', report_interval_s::text, 'levels', levels::text,
            'height_limit_m', height_limit_m::text, 'opens_at', to_char(opens_at, 'HH24:MI'),
            'closes_at', to_char(closes_at, 'HH24:MI'), 'timezone', timezone
        )
    )::text AS cells
FROM lot
WHERE lot_id = any(:lot_ids::text[]);

-- name: registered()
-- All that an import may write, each thing with its kind, its id and its fields as JSON. Ground,
-- the places of bays and what tariffs say stand as hashes.
-- Index: none, the tables are read whole.
SELECT
    'operator' AS kind,
    o.operator_id AS thing_id,
    (to_jsonb(o) - 'operator_id')::text AS details
FROM operator AS o
UNION ALL
SELECT
    'gateway' AS kind,
    g.gateway_id AS thing_id,
    (to_jsonb(g) - '{gateway_id, password_hash, password_by_person}'::text[])::text AS details
FROM gateway AS g
UNION ALL
SELECT
    'district' AS kind,
    d.adcode AS thing_id,
    (
        to_jsonb(d) - '{adcode, geom}'::text[]
        || jsonb_build_object('ground', md5(st_asbinary(d.geom)))
    )::text AS details
FROM district AS d
UNION ALL
SELECT
    'zone' AS kind,
    z.zone_id AS thing_id,
    (
        to_jsonb(z) - '{zone_id, geom}'::text[]
        || jsonb_build_object('ground', md5(st_asbinary(z.geom)))
    )::text AS details
FROM zone AS z
UNION ALL
SELECT
    'place' AS kind,
    p.place_id AS thing_id,
    (
        to_jsonb(p) - '{place_id, geog}'::text[]
        || jsonb_build_object(
            'longitude', st_x(p.geog::geometry), 'latitude', st_y(p.geog::geometry)
        )
    )::text AS details
FROM place AS p
UNION ALL
SELECT
    'lot' AS kind,
    l.lot_id AS thing_id,
    (
        to_jsonb(l) - '{lot_id, geog}'::text[]
        || jsonb_build_object(
            'longitude', st_x(l.geog::geometry), 'latitude', st_y(l.geog::geometry),
            'bays', coalesce(b.bays, 0), 'bay_places', b.places
        )
    )::text AS details
FROM lot AS l
LEFT JOIN (
    SELECT
        p.lot_id,
        count(*) AS bays,
        md5(
            string_agg(
                concat_ws(' ', p.number, p.level, p.space_class, p.geog::text), ','
                ORDER BY p.number
            )
        ) AS places
    FROM space AS p
    GROUP BY p.lot_id
) AS b ON l.lot_id = b.lot_id
UNION ALL
SELECT
    'tariff' AS kind,
    t.tariff_id || ' version ' || t.version AS thing_id,
    jsonb_build_object('state', t.state, 'content', t.content_hash)::text AS details
FROM tariff_version AS t
UNION ALL
SELECT
    'price control' AS kind,
    c.price_control_id::text AS thing_id,
    to_jsonb(c)::text AS details
FROM price_control AS c
UNION ALL
SELECT
    'calendar' AS kind,
    to_jsonb(y) ->> 'year' AS thing_id,
    (to_jsonb(y) - 'year')::text AS details
FROM city_calendar AS y;

-- name: doubtful_places(lot_ids, far_m)
-- Of these lots, those that are in no district though there are districts, and those that have no
-- other lot within so many metres (on the sphere) though there are others: with the distance to
-- the nearest, and whether there is one when latitude and longitude change places. By lot_id.
-- Index: lot_pkey, lot_geog_idx.
WITH given AS (
    SELECT
        lot_id,
        geog,
        st_x(geog::geometry) AS longitude,
        st_y(geog::geometry) AS latitude,
        district IS null AND EXISTS (SELECT 1 FROM district) AS is_outside
    FROM lot
    WHERE lot_id = any(:lot_ids::text[])
),

alone AS (
    SELECT
        g.lot_id,
        n.nearest_m,
        exists(
            SELECT 1
            FROM lot AS o
            WHERE
                o.lot_id <> g.lot_id
                AND abs(g.longitude) <= 90
                AND st_dwithin(
                    o.geog,
                    st_setsrid(st_makepoint(g.latitude, g.longitude), 4326)::geography,
                    :far_m::float,
                    false
                )
        ) AS looks_swapped
    FROM given AS g
    CROSS JOIN
        LATERAL (
            SELECT min(st_distance(g.geog, o.geog, false)) AS nearest_m
            FROM lot AS o
            WHERE o.lot_id <> g.lot_id
        ) AS n
    WHERE
        NOT EXISTS (
            SELECT 1
            FROM lot AS o
            WHERE o.lot_id <> g.lot_id AND st_dwithin(g.geog, o.geog, :far_m::float, false)
        )
        AND n.nearest_m IS NOT null
)

SELECT
    g.lot_id,
    g.longitude,
    g.latitude,
    g.is_outside,
    a.nearest_m,
    coalesce(a.looks_swapped, false) AS looks_swapped
FROM given AS g
LEFT JOIN alone AS a ON g.lot_id = a.lot_id
WHERE g.is_outside OR a.lot_id IS NOT null
ORDER BY g.lot_id;

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

-- name: lot_ids()
-- The ids of all lots, retired ones too.
-- Index: none, it reads the table whole.
SELECT lot_id
FROM lot;

-- name: known_steps(day_at, lot_ids)
-- Which steps of 300 s of a day in UTC are known of these lots, from feeds or imports: their places,
-- 0..287; and the first number of a part of that day that is free. No row for a lot without any.
-- Index: primary keys of the day's partitions below lot_history, once a lot.
SELECT
    g.lot_id,
    k.places,
    coalesce(p.last_part + 1, 0)::smallint AS next_part
FROM unnest(:lot_ids::text[]) AS g (lot_id)
CROSS JOIN
    LATERAL (
        SELECT
            array_agg((extract(EPOCH FROM h.step_at - :day_at::timestamptz) / 300)::integer)
                AS places
        FROM lot_history AS h
        WHERE
            h.lot_id = g.lot_id
            AND h.day_at = :day_at
            AND h.step_at >= :day_at
            AND h.step_at < :day_at + interval '24 h'
    ) AS k
CROSS JOIN
    LATERAL (
        SELECT max(d.part) AS last_part
        FROM lot_occupancy_day AS d
        WHERE d.lot_id = g.lot_id AND d.day_at = :day_at
    ) AS p
WHERE k.places IS NOT null;
