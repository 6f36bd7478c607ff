-- The bays of each lot that are not of class standard, for the lots that sense their bays.
-- $1 lot ids, or null for all
-- Index: space_pkey; for all, `space` is read whole (about 0.2 s for 470,000 bays).
SELECT
    p.lot_id,
    p.space_class,
    array_agg(p.number) AS numbers
FROM space AS p
INNER JOIN lot AS l ON p.lot_id = l.lot_id AND l.reporting = 'bays'
WHERE p.space_class <> 'standard' AND ($1::text[] IS null OR p.lot_id = any($1))
GROUP BY p.lot_id, p.space_class
