-- The time zone of a lot; no row where there is no such lot.
-- $1 lot_id
-- Index: lot_pkey.
SELECT timezone
FROM lot
WHERE lot_id = $1
