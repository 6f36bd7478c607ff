-- Lots with enough free spaces around a place: nearest first by the spheroid, ties by lot_id.
-- $1, $2 longitude and latitude, degrees in WGS 84
-- $3 radius, metres, inclusive
-- $4 the most lots to give
-- $5 the fewest spaces known to be free; 0 also gives full lots and those of unknown state
-- $6 space class of which that many must be free (one at least), or null
-- $7 height of the vehicle, metres, or null
-- $8, $9 start and end of the stay through which a lot must be open, or null
-- Index: lot_geog_idx, twice. `<->` orders by the sphere, not the spheroid; but any $4 lots bound
-- the spheroid distance of the $4th nearest, so the second pass takes all within that bound.
-- Gives a single row, null but for as_of, where there is no such lot.
WITH suitable AS NOT MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN data_state = 'unknown' THEN null
            WHEN $6::text = 'standard' THEN free_standard
            WHEN $6 = 'accessible' THEN free_accessible
            WHEN $6 = 'ev' THEN free_ev
            WHEN $6 = 'large' THEN free_large
        END AS free_of_class,
        st_distance(geog, st_point($1, $2, 4326)::geography) AS distance_m
    FROM lot_now
    WHERE
        status <> 'closed'
        AND ($5::integer = 0 OR free_spaces >= $5)
        AND ($7::real IS null OR height_limit_m IS null OR height_limit_m >= $7)
        AND (
            $8::timestamptz IS null
            OR closes_within(opens_at, closes_at, timezone, $8, $9::timestamptz) IS null
        )
),

candidate AS MATERIALIZED (
    SELECT distance_m
    FROM suitable
    WHERE
        st_dwithin(geog, st_point($1, $2, 4326)::geography, $3)
        AND ($6 IS null OR free_of_class >= greatest($5, 1))
    ORDER BY geog <-> st_point($1, $2, 4326)::geography
    LIMIT $4
),

nearest AS (
    SELECT *
    FROM suitable
    WHERE
        st_dwithin(
            geog,
            st_point($1, $2, 4326)::geography,
            (SELECT least(max(c.distance_m) + 0.01, $3) FROM candidate AS c)
        )
        AND ($6 IS null OR free_of_class >= greatest($5, 1))
    ORDER BY distance_m, lot_id
    LIMIT $4
)

SELECT
    newest.as_of,
    n.lot_id,
    n.name_zh,
    n.name_en,
    n.lot_type,
    n.timezone,
    n.opens_at,
    n.closes_at,
    n.distance_m,
    n.capacity,
    n.free_spaces,
    n.unknown_spaces,
    n.free_of_class,
    n.status,
    n.data_state,
    n.observed_at,
    n.age_s,
    n.zone_id,
    st_x(n.geog::geometry) AS longitude,
    st_y(n.geog::geometry) AS latitude
FROM (SELECT max(committed_at) AS as_of FROM lot_state) AS newest
LEFT JOIN nearest AS n ON true
ORDER BY n.distance_m, n.lot_id
