-- Move the bays that stand at their lot's own point to where the staged lot is; before import_lots.
-- Parameters: none; reads the temporary table staged_lot.
-- Index: lot_pkey, space_pkey.
UPDATE space AS p
SET geog = s.geog
FROM staged_lot AS s
INNER JOIN lot AS l ON s.lot_id = l.lot_id
WHERE p.lot_id = s.lot_id AND p.geog = l.geog AND l.geog IS DISTINCT FROM s.geog;
