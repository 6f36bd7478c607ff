-- name: nearest_lots(lon, lat, radius_m, most, min_free, space_class, height_m, lot_type, opens_by, closes_after)
-- Lots with enough free spaces around a place: nearest first by the spheroid, ties by lot_id.
-- Degrees in WGS 84; metres, the radius inclusive. `min_free` 0 also gives full lots and those of
-- unknown state; of `space_class` that many must be free, one at least. The last two are start and
-- end of the stay through which a lot must be open. What is null does not matter.
-- Index: lot_geog_idx, twice. `<->` orders by the sphere, not the spheroid; but any `most` lots bound
-- the spheroid distance of the last of the nearest, so the second pass takes all within that bound.
WITH suitable AS NOT MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN data_state = 'unknown' THEN null
            WHEN :space_class::text = 'standard' THEN free_standard
            WHEN :space_class = 'accessible' THEN free_accessible
            WHEN :space_class = 'ev' THEN free_ev
            WHEN :space_class = 'large' THEN free_large
        END AS free_of_class,
        st_distance(geog, st_point(:lon, :lat, 4326)::geography) AS distance_m
    FROM lot_now
    WHERE
        status <> 'closed'
        AND (:min_free::integer = 0 OR free_spaces >= :min_free)
        AND (:height_m::real IS null OR height_limit_m IS null OR height_limit_m >= :height_m)
        AND (:lot_type::text IS null OR lot_type = :lot_type)
        AND (
            :opens_by::timestamptz IS null
            OR (
                NOT is_shut(closed_from, closed_until, :opens_by, :closes_after::timestamptz)
                AND closes_within(
                    opens_at, closes_at, timezone, :opens_by, :closes_after::timestamptz
                ) IS null
            )
        )
),

candidate AS MATERIALIZED (
    SELECT distance_m
    FROM suitable
    WHERE
        st_dwithin(geog, st_point(:lon, :lat, 4326)::geography, :radius_m)
        AND (:space_class IS null OR free_of_class >= greatest(:min_free, 1))
    ORDER BY geog <-> st_point(:lon, :lat, 4326)::geography
    LIMIT :most
)

SELECT
    zone_id, name_zh, name_en, lot_type, opens_at, closes_at, timezone, closed_from, closed_until,
    observed_at, st_x(geog::geometry) AS longitude, st_y(geog::geometry) AS latitude, lot_id,
    distance_m, capacity, free_spaces, unknown_spaces, free_of_class, age_s, data_state, status
FROM suitable
WHERE
    st_dwithin(
        geog,
        st_point(:lon, :lat, 4326)::geography,
        (SELECT least(max(c.distance_m) + 0.01, :radius_m) FROM candidate AS c)
    )
    AND (:space_class IS null OR free_of_class >= greatest(:min_free, 1))
ORDER BY distance_m, lot_id
LIMIT :most;

-- name: lots(after, lot_id, west, south, east, north, district, zone_id, operator_id, lot_type, status, opens_by, closes_after, most)
-- A page of lots by lot_id, from the one after `after` on, each with its state; or a single lot. The
-- box is in degrees, edges included; a district is its adcode; the next to last two are start and end
-- of the stay through which a lot must be open. What is null does not matter.
-- Index: lot_pkey for order and start. The box is tried on each lot in passing: a rectangle of
-- longitude and latitude is not a shape of geography, whose edges are great circles.
SELECT
    zone_id, name_zh, name_en, lot_type, opens_at, closes_at, timezone, closed_from, closed_until,
    observed_at, st_x(geog::geometry) AS longitude, st_y(geog::geometry) AS latitude, lot_id,
    operator_id, district, land_use, reporting, report_interval_s, levels, height_limit_m,
    closed_reason, version, committed_at, free_standard, free_accessible, free_ev, free_large,
    capacity, free_spaces, unknown_spaces, age_s, data_state, status, is_shut
FROM lot_now
WHERE
    lot_id > :after
    AND (:lot_id::text IS null OR lot_id = :lot_id)
    AND (
        :west::double precision IS null
        OR (
            st_x(geog::geometry) BETWEEN :west AND :east::double precision
            AND st_y(geog::geometry) BETWEEN :south::double precision AND :north::double precision
        )
    )
    AND (:district::text IS null OR district = :district)
    AND (:zone_id::text IS null OR zone_id = :zone_id)
    AND (:operator_id::text IS null OR operator_id = :operator_id)
    AND (:lot_type::text IS null OR lot_type = :lot_type)
    AND (:status::text IS null OR status = :status)
    AND (
        :opens_by::timestamptz IS null
        OR (
            NOT is_shut(closed_from, closed_until, :opens_by, :closes_after::timestamptz)
            AND closes_within(
                opens_at, closes_at, timezone, :opens_by, :closes_after::timestamptz
            ) IS null
        )
    )
ORDER BY lot_id
LIMIT :most;

-- name: timezone(lot_id)
-- The time zone of a lot; no row where there is no such lot.
-- Index: lot_pkey.
SELECT timezone
FROM lot
WHERE lot_id = :lot_id;

-- name: lock_closure(lot_id)
-- When a lot is closed for a time, and since when it is retired; locked until the transaction ends. No
-- row where there is no such lot.
-- Index: lot_pkey.
SELECT
    lot_id, operator_id, timezone, closed_from, closed_until, closed_reason, retired_at
FROM lot
WHERE lot_id = :lot_id
FOR NO KEY UPDATE;

-- name: set_closure(lot_id, closed_from, closed_until, closed_reason, retired_at)
-- Close a lot for a time, or open it; retire it, or take it back.
-- Index: lot_pkey.
UPDATE lot SET
    closed_from = :closed_from,
    closed_until = :closed_until,
    closed_reason = :closed_reason,
    retired_at = :retired_at
WHERE lot_id = :lot_id;

-- name: notify(lot_id)
-- Have the ingester read a lot again at COMMIT.
-- Index: none.
SELECT pg_notify('registry', :lot_id);

-- name: occupancy(lot_id, start, until, step_s)
-- The history of one lot on a regular grid from `start` to before `until`, a row a step, known or
-- not. A step is so many seconds, a multiple of the stored 300.
-- Index: primary keys of the partitions below lot_history, within the stretch.
-- A step in which a report fell and of which no second has passed (the newest) has the report's
-- free spaces, and neither occupancy nor coverage.
WITH known AS (
    SELECT
        date_bin(make_interval(secs => :step_s::integer), step_at, :start::timestamptz) AS first_at,
        (array_agg(capacity ORDER BY step_at DESC))[1] AS capacity,
        (array_agg(free_last ORDER BY step_at DESC))[1] AS free_last,
        sum(covered_s) AS covered_s,
        nullif(sum(space_s), 0) AS space_s,
        nullif(sum(known_space_s), 0) AS known_space_s,
        sum(free_space_s) AS free_space_s,
        sum(free_space_s) / nullif(sum(covered_s), 0) AS free_mean,
        min(free_min) AS free_min, max(free_max) AS free_max
    FROM lot_history
    WHERE
        lot_id = :lot_id
        AND day_at >= date_bin('1 day', :start, '2000-01-01 00:00:00+00')
        AND day_at < :until
        AND step_at >= :start
        AND step_at < :until
    GROUP BY first_at
)

SELECT
    grid.starts_at,
    k.capacity,
    coalesce(k.free_mean, k.free_last) AS free_spaces,
    k.free_min,
    k.free_max,
    k.free_last,
    1 - k.free_space_s / k.known_space_s AS occupancy,
    coalesce(k.covered_s / :step_s * k.known_space_s / k.space_s, 0) AS coverage
FROM
    generate_series(
        :start::timestamptz,
        :until::timestamptz - interval '1 microsecond',
        make_interval(secs => :step_s)
    ) AS grid (starts_at)
LEFT JOIN known AS k ON grid.starts_at = k.first_at
ORDER BY grid.starts_at;
