-- The history of one lot on a regular grid, a row a step, known or not.
-- $1 lot_id
-- $2 start of the first step, $3 end of the last, exclusive
-- $4 length of a step, seconds, a multiple of the stored 300
-- Index: primary key of lot_occupancy's partitions, within $2 and $3.
-- A step in which a report fell and of which no second has passed (the newest) has the report's
-- free spaces, and neither occupancy nor coverage.
WITH known AS (
    SELECT
        date_bin(make_interval(secs => $4::integer), step_at, $2::timestamptz) AS first_at,
        max(step_at) AS last_step_at,
        sum(covered_s) AS covered_s,
        nullif(sum(space_s), 0) AS space_s,
        nullif(sum(known_space_s), 0) AS known_space_s,
        sum(free_space_s) AS free_space_s,
        sum(free_space_s) / nullif(sum(covered_s), 0) AS free_mean,
        min(free_min) AS free_min,
        max(free_max) AS free_max
    FROM lot_occupancy
    WHERE
        lot_id = $1
        AND step_at >= $2
        AND step_at < $3
    GROUP BY first_at
)

SELECT
    grid.starts_at,
    s.capacity,
    coalesce(k.free_mean, s.free_last) AS free_spaces,
    k.free_min,
    k.free_max,
    s.free_last,
    1 - k.free_space_s / k.known_space_s AS occupancy,
    coalesce(k.covered_s / $4 * k.known_space_s / k.space_s, 0) AS coverage
FROM
    generate_series(
        $2::timestamptz,
        $3::timestamptz - interval '1 microsecond',
        make_interval(secs => $4)
    ) AS grid (starts_at)
LEFT JOIN known AS k ON grid.starts_at = k.first_at
LEFT JOIN lot_occupancy AS s
    ON s.lot_id = $1 AND s.step_at >= $2 AND s.step_at < $3 AND k.last_step_at = s.step_at
ORDER BY grid.starts_at
