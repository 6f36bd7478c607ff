-- name: nearest_spaces(lon, lat, radius_m, most, space_class, height_m)
-- Single free bays around a place: nearest first by the spheroid, ties by lot_id and number.
-- Degrees in WGS 84; metres, the radius inclusive. What is null does not matter.
-- Index: space_pkey for the candidates, then space_geog_idx. Walking space_geog_idx by `<->` would
-- pass every occupied bay on the way: seconds where a district is full. So the candidates are the
-- free bays of the nearest lots that together count `most` of them; any `most` free bays bound the
-- distance of the last of the nearest, and the second pass takes all within that bound. Where the
-- whole city has fewer, the candidates are all there are, and bound it as well. Each OFFSET 0
-- keeps the planner, which expects hardly any lot to be open, from judging all of them first.
WITH open_lot AS NOT MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN :space_class::text IS null THEN free_spaces
            WHEN :space_class = 'standard' THEN free_standard
            WHEN :space_class = 'accessible' THEN free_accessible
            WHEN :space_class = 'ev' THEN free_ev
            WHEN :space_class = 'large' THEN free_large
        END AS free_of_class
    FROM lot_now
    WHERE
        status = 'open'
        AND reporting = 'bays'
        AND (:height_m::real IS null OR height_limit_m IS null OR height_limit_m >= :height_m)
),

near_lot AS MATERIALIZED (
    SELECT
        lot_id,
        capacity,
        occupied_bits,
        unknown_bits,
        sum(free_of_class) OVER (ORDER BY sphere_m, lot_id) AS free_up_to_here,
        sum(free_of_class) OVER (ORDER BY sphere_m, lot_id) - free_of_class AS free_before
    FROM (
        SELECT
            o.*,
            by_distance.sphere_m
        FROM (
            SELECT
                lot_id,
                geog <-> st_point(:lon, :lat, 4326)::geography AS sphere_m
            FROM lot
            WHERE reporting = 'bays'
            ORDER BY sphere_m
            OFFSET 0
        ) AS by_distance
        CROSS JOIN
            LATERAL (
                SELECT l.*
                FROM open_lot AS l
                WHERE l.lot_id = by_distance.lot_id AND l.free_of_class > 0
                ORDER BY l.lot_id
                OFFSET 0
            ) AS o
        ORDER BY by_distance.sphere_m
        LIMIT :most
    ) AS nearest
),

candidate AS MATERIALIZED (
    SELECT st_distance(p.geog, st_point(:lon, :lat, 4326)::geography) AS distance_m
    FROM near_lot AS n
    INNER JOIN space AS p ON n.lot_id = p.lot_id
    WHERE
        n.free_before < :most
        AND (:space_class IS null OR p.space_class = :space_class)
        AND bay_state(n.occupied_bits, n.unknown_bits, n.capacity, p.number) = 'free'
    ORDER BY distance_m
    LIMIT :most
),

bound AS MATERIALIZED (
    SELECT
        CASE
            WHEN
                count(*) = :most
                OR coalesce((SELECT max(n.free_up_to_here) FROM near_lot AS n), 0) < :most
                THEN least(max(c.distance_m) + 0.01, :radius_m::double precision)
            ELSE :radius_m
        END AS bound_m
    FROM candidate AS c
),

-- Apart from their lots: the planner expects a handful here and would turn the join round.
near_space AS MATERIALIZED (
    SELECT *
    FROM space
    WHERE
        st_dwithin(geog, st_point(:lon, :lat, 4326)::geography, (SELECT b.bound_m FROM bound AS b))
        AND (:space_class IS null OR space_class = :space_class)
)

SELECT
    p.lot_id, p.number, p.level, p.space_class,
    st_distance(p.geog, st_point(:lon, :lat, 4326)::geography) AS distance_m,
    n.data_state, n.observed_at, n.timezone,
    st_x(p.geog::geometry) AS longitude, st_y(p.geog::geometry) AS latitude
FROM near_space AS p
INNER JOIN open_lot AS n ON p.lot_id = n.lot_id
WHERE
    n.observed_at IS NOT null
    AND bay_state(n.occupied_bits, n.unknown_bits, n.capacity, p.number) = 'free'
ORDER BY distance_m, p.lot_id, p.number
LIMIT :most;

-- name: lot(lot_id)
-- What the bays of a lot have in common; no row where there is no such lot.
-- Index: lot_pkey, lot_state_pkey.
SELECT timezone, reporting, capacity, data_state, observed_at, committed_at
FROM lot_now
WHERE lot_id = :lot_id;

-- name: bays(lot_id)
-- The bays of one lot with their states, by number; none of a lot that counts at its gates, whatever
-- bays are registered.
-- Index: lot_pkey, lot_state_pkey, space_pkey.
SELECT
    p.number, p.level, p.space_class,
    st_x(p.geog::geometry) AS longitude, st_y(p.geog::geometry) AS latitude,
    CASE
        WHEN l.data_state = 'unknown' THEN 'unknown'
        ELSE bay_state(l.occupied_bits, l.unknown_bits, l.capacity, p.number)::text
    END AS state
FROM lot_now AS l
INNER JOIN space AS p ON l.lot_id = p.lot_id
WHERE l.lot_id = :lot_id AND l.reporting = 'bays'
ORDER BY p.number;
