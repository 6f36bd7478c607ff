-- The bays of one lot with their states, by number. A lot that counts at its gates gives a single
-- row, null but for the lot's own columns, whatever bays are registered; an unknown lot none.
-- $1 lot_id
-- Index: lot_pkey, lot_state_pkey, space_pkey.
WITH asked AS MATERIALIZED (
    SELECT
        lot_id,
        reporting,
        timezone,
        data_state,
        observed_at,
        committed_at,
        capacity,
        occupied_bits,
        unknown_bits
    FROM lot_now
    WHERE lot_id = $1
)

SELECT
    l.timezone,
    l.data_state,
    l.observed_at,
    l.committed_at,
    p.number,
    p.level,
    p.space_class,
    st_x(p.geog::geometry) AS longitude,
    st_y(p.geog::geometry) AS latitude,
    CASE
        WHEN l.data_state = 'unknown' THEN 'unknown'
        ELSE bay_state(l.occupied_bits, l.unknown_bits, l.capacity, p.number)::text
    END AS state
FROM asked AS l
LEFT JOIN space AS p ON l.lot_id = p.lot_id AND l.reporting = 'bays'
ORDER BY p.number
