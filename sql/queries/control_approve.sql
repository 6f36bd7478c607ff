-- Put a drafted price control in force; no row where that has been done.
-- $1 price_control_id  $2 by whom  $3 when
-- Index: price_control_pkey.
UPDATE price_control
SET
    approved_by = $2,
    approved_at = $3
WHERE price_control_id = $1 AND approved_at IS NULL
RETURNING price_control_id
