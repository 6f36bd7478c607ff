-- Delete the bays of staged lots that are not staged themselves.
-- Parameters: none; reads the temporary tables staged_lot and staged_space.
-- Index: none, both sides are read whole.
DELETE FROM space AS p
USING staged_lot AS l
WHERE
    p.lot_id = l.lot_id
    AND NOT EXISTS (
        SELECT 1
        FROM staged_space AS s
        WHERE s.lot_id = p.lot_id AND s.number = p.number
    );
