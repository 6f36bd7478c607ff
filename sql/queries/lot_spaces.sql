-- The bays of one lot with their states, by number. A lot that counts at its gates gives a single
-- row, null but for the lot's own columns, whatever bays are registered; an unknown lot none.
-- $1 lot_id
-- Index: lot_pkey, lot_state_pkey, space_pkey.
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
        ELSE coalesce(s.state::text, 'unknown')
    END AS state
FROM lot_now AS l
LEFT JOIN space AS p ON l.lot_id = p.lot_id AND l.reporting = 'bays'
LEFT JOIN space_now AS s ON p.lot_id = s.lot_id AND p.number = s.number
WHERE l.lot_id = $1
ORDER BY p.number
