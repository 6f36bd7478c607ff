-- What history knows of the lots that a price mechanism moves, and of those beside them: a row for
-- each lot and time band: the seconds that are known, weighed by the share of the lot that was,
-- and seconds x spaces in service, known, free, and of the time in which every space was occupied.
-- $1 zone_id  $2 lot types  $3 the time at which tariffs of lots of their own count
-- $4 metres within which a lot is beside another
-- $5 time bands, $6 starts and $7 ends, exclusive: of the intervals to read
-- Index: lot_occupancy_pkey of each interval's partitions; lot_geog_idx.
WITH moved AS (
    SELECT
        l.lot_id,
        l.capacity,
        l.geog
    FROM lot AS l
    WHERE
        l.zone_id = $1
        AND l.lot_type = any($2::text[])
        AND NOT EXISTS (
            SELECT FROM tariff_effect AS e
            WHERE e.lot_id = l.lot_id AND e.effective @> $3::timestamptz
        )
),

looked_at AS (
    SELECT
        m.lot_id,
        m.capacity,
        false AS beside
    FROM moved AS m
    UNION ALL
    SELECT
        o.lot_id,
        o.capacity,
        true AS beside
    FROM lot AS o
    WHERE
        EXISTS (
            SELECT FROM moved AS m
            WHERE st_dwithin(m.geog, o.geog, $4::float8)
        )
        AND o.lot_id NOT IN (SELECT m.lot_id FROM moved AS m)
)

SELECT
    t.time_band,
    l.lot_id,
    l.capacity,
    l.beside,
    coalesce(sum(s.known_s), 0) AS known_s,
    coalesce(sum(s.space_s), 0) AS space_s,
    coalesce(sum(s.known_space_s), 0) AS known_space_s,
    coalesce(sum(s.free_space_s), 0) AS free_space_s,
    coalesce(sum(s.full_space_s), 0) AS full_space_s
FROM looked_at AS l
CROSS JOIN
    unnest($5::text[], $6::timestamptz[], $7::timestamptz[]) AS t (time_band, starts_at, ends_at)
LEFT JOIN LATERAL (
    SELECT
        sum(o.covered_s * o.known_space_s / nullif(o.space_s, 0)) AS known_s,
        sum(o.space_s) AS space_s,
        sum(o.known_space_s) AS known_space_s,
        sum(o.free_space_s) AS free_space_s,
        sum(o.full_s * o.space_s / nullif(o.covered_s, 0)) AS full_space_s
    FROM lot_occupancy AS o
    WHERE o.lot_id = l.lot_id AND o.step_at >= t.starts_at AND o.step_at < t.ends_at
) AS s ON true
GROUP BY t.time_band, l.lot_id, l.capacity, l.beside
ORDER BY t.time_band, l.lot_id
