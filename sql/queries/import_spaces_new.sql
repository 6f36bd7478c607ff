-- Add the staged bays that are not there yet, in the order in which they are asked for: the bays
-- of a lot then lie on neighbouring pages.
-- Parameters: none; reads the temporary table staged_space.
-- Index: space_pkey; fills space_geog_idx, unless that is made anew afterwards.
INSERT INTO space (lot_id, number, level, space_class, geog)
SELECT
    s.lot_id,
    s.number,
    s.level,
    s.space_class,
    s.geog
FROM staged_space AS s
WHERE
    NOT EXISTS (
        SELECT 1
        FROM space AS p
        WHERE p.lot_id = s.lot_id AND p.number = s.number
    )
ORDER BY s.lot_id, s.number;
