-- Bring the bays that are there already to what is staged, where it differs.
-- Parameters: none; reads the temporary table staged_space.
-- Index: none, both sides are read whole.
UPDATE space AS p
SET level = s.level, space_class = s.space_class, geog = s.geog
FROM staged_space AS s
WHERE
    p.lot_id = s.lot_id
    AND p.number = s.number
    AND (p.level, p.space_class, p.geog) IS DISTINCT FROM (s.level, s.space_class, s.geog);
