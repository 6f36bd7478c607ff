-- Delete the bays beyond the capacity of the staged lots.
-- Parameters: none; reads the temporary table staged_lot.
-- Index: space_pkey.
DELETE FROM space AS p
USING staged_lot AS s
WHERE p.lot_id = s.lot_id AND p.number > s.capacity;
