-- Single free bays around a place: nearest first by the spheroid, ties by lot_id and number.
-- $1, $2 longitude and latitude, degrees in WGS 84
-- $3 radius, metres, inclusive
-- $4 the most bays to give
-- $5 space class, or null
-- $6 height of the vehicle, metres, or null
-- Index: space_pkey for the candidates, then space_geog_idx. Walking space_geog_idx by `<->` would
-- pass every occupied bay on the way: seconds where a district is full. So the candidates are the
-- free bays of the nearest lots that together count $4 of them; any $4 free bays bound the
-- distance of the $4th nearest, and the second pass takes all within that bound. Where the whole
-- city has fewer than $4, the candidates are all there are, and bound it as well. Each OFFSET 0
-- keeps the planner, which expects hardly any lot to be open, from judging all of them first.
-- Gives a single row, null but for as_of, where there is no such bay.
WITH open_lot AS NOT MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN $5::text IS null THEN free_spaces
            WHEN $5 = 'standard' THEN free_standard
            WHEN $5 = 'accessible' THEN free_accessible
            WHEN $5 = 'ev' THEN free_ev
            WHEN $5 = 'large' THEN free_large
        END AS free_of_class
    FROM lot_now
    WHERE
        status = 'open'
        AND reporting = 'bays'
        AND ($6::real IS null OR height_limit_m IS null OR height_limit_m >= $6)
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
                geog <-> st_point($1, $2, 4326)::geography AS sphere_m
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
        LIMIT $4
    ) AS nearest
),

candidate AS MATERIALIZED (
    SELECT st_distance(p.geog, st_point($1, $2, 4326)::geography) AS distance_m
    FROM near_lot AS n
    INNER JOIN space AS p ON n.lot_id = p.lot_id
    WHERE
        n.free_before < $4
        AND ($5 IS null OR p.space_class = $5)
        AND bay_state(n.occupied_bits, n.unknown_bits, n.capacity, p.number) = 'free'
    ORDER BY distance_m
    LIMIT $4
),

bound AS MATERIALIZED (
    SELECT
        CASE
            WHEN
                count(*) = $4
                OR coalesce((SELECT max(n.free_up_to_here) FROM near_lot AS n), 0) < $4
                THEN least(max(c.distance_m) + 0.01, $3::double precision)
            ELSE $3
        END AS bound_m
    FROM candidate AS c
),

-- Apart from their lots: the planner expects a handful here and would turn the join round.
near_space AS MATERIALIZED (
    SELECT *
    FROM space
    WHERE
        st_dwithin(geog, st_point($1, $2, 4326)::geography, (SELECT b.bound_m FROM bound AS b))
        AND ($5 IS null OR space_class = $5)
),

nearest AS (
    SELECT
        p.*,
        n.timezone,
        n.data_state,
        n.observed_at,
        st_distance(p.geog, st_point($1, $2, 4326)::geography) AS distance_m
    FROM near_space AS p
    INNER JOIN open_lot AS n ON p.lot_id = n.lot_id
    WHERE
        bay_state(n.occupied_bits, n.unknown_bits, n.capacity, p.number) = 'free'
    ORDER BY distance_m, p.lot_id, p.number
    LIMIT $4
)

SELECT
    newest.as_of,
    s.lot_id,
    s.number,
    s.level,
    s.space_class,
    s.distance_m,
    s.data_state,
    s.observed_at,
    s.timezone,
    st_x(s.geog::geometry) AS longitude,
    st_y(s.geog::geometry) AS latitude
FROM (SELECT max(committed_at) AS as_of FROM lot_state) AS newest
LEFT JOIN nearest AS s ON true
ORDER BY s.distance_m, s.lot_id, s.number
