-- What makes adding many bays slow, while there are none: the definitions of the index of their
-- places and of their reference to lots. No row where there is a bay already.
-- Parameters: none.
-- Index: none, the first row answers.
SELECT
    pg_get_indexdef('space_geog_idx'::regclass) AS geog_index,
    pg_get_constraintdef(c.oid) AS lot_reference
FROM pg_constraint AS c
WHERE
    c.conrelid = 'space'::regclass
    AND c.conname = 'space_lot_id_fkey'
    AND NOT EXISTS (SELECT 1 FROM space);
