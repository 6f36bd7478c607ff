-- Make a tariff; no row where its id is taken.
-- $1 tariff_id  $2 by whom  $3 when
-- Index: tariff_pkey.
INSERT INTO tariff (tariff_id, created_by, created_at)
VALUES ($1, $2, $3)
ON CONFLICT (tariff_id) DO NOTHING
RETURNING tariff_id
