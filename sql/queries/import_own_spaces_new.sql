-- Give the staged lots that report bays the ones that they lack of 1..capacity: standard, at street
-- level, at the lot's own point.
-- Parameters: none; reads the temporary table staged_lot.
-- Index: space_pkey.
INSERT INTO space (lot_id, number, level, space_class, geog)
SELECT
    s.lot_id,
    n.number,
    0 AS street_level,
    'standard' AS space_class,
    s.geog
FROM staged_lot AS s
CROSS JOIN LATERAL generate_series(1, s.capacity) AS n (number)
WHERE
    s.reporting = 'bays'
    AND NOT EXISTS (
        SELECT 1
        FROM space AS p
        WHERE p.lot_id = s.lot_id AND p.number = n.number
    )
ORDER BY s.lot_id, n.number;
