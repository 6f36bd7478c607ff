-- The history of one lot on a regular grid, a row a step, known or not.
-- $1 lot_id
-- $2 start of the first step, $3 end of the last, exclusive
-- $4 length of a step, seconds, a multiple of the stored 300
-- Index: primary key of lot_occupancy's partitions, within $2 and $3.
-- A stored step that no report fell into carries an earlier count on: its lowest, highest and last
-- are its mean. One with a report but no seconds yet (the newest) has an instant for its mean.
WITH stored AS (
    SELECT
        step_at,
        capacity,
        covered_s,
        free_last,
        free_min,
        free_max,
        coalesce(free_space_s / nullif(covered_s, 0), free_last) AS free_mean,
        CASE WHEN covered_s > 0 THEN covered_s ELSE 0.001 END AS weight
    FROM lot_occupancy
    WHERE
        lot_id = $1
        AND step_at >= $2
        AND step_at < $3
        AND (covered_s > 0 OR free_last IS NOT null)
),

known AS (
    SELECT
        date_bin(make_interval(secs => $4::integer), step_at, $2::timestamptz) AS first_at,
        max(step_at) AS last_step_at,
        sum(covered_s) AS covered_s,
        sum(free_mean * weight) / sum(weight) AS free_spaces,
        sum(capacity * weight) / sum(weight) AS capacity,
        min(coalesce(free_min, round(free_mean))) AS free_min,
        max(coalesce(free_max, round(free_mean))) AS free_max
    FROM stored
    GROUP BY first_at
)

SELECT
    grid.starts_at,
    s.capacity,
    k.free_spaces,
    k.free_min::integer AS free_min,
    k.free_max::integer AS free_max,
    coalesce(s.free_last, round(s.free_mean))::integer AS free_last,
    CASE
        WHEN k.capacity > 0 THEN least(greatest(1 - k.free_spaces / k.capacity, 0), 1)
    END AS occupancy,
    least(coalesce(k.covered_s, 0) / $4, 1) AS coverage
FROM
    generate_series(
        $2::timestamptz,
        $3::timestamptz - interval '1 microsecond',
        make_interval(secs => $4)
    ) AS grid (starts_at)
LEFT JOIN known AS k ON grid.starts_at = k.first_at
LEFT JOIN stored AS s ON k.last_step_at = s.step_at
ORDER BY grid.starts_at
