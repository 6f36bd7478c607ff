-- Let a price control end; no row where it has ended before, or begins later.
-- $1 price_control_id  $2 the end, exclusive
-- Index: price_control_pkey.
UPDATE price_control
SET valid_to = $2
WHERE price_control_id = $1 AND valid_from < $2 AND (valid_to IS NULL OR valid_to > $2)
RETURNING price_control_id
