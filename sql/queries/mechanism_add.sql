-- Draft a price mechanism; no row where its id is taken.
-- $1 mechanism_id  $2 definition  $3 its content hash  $4 zone_id  $5 lot types  $6 mode
-- $7 by whom  $8 when
-- Index: price_mechanism_pkey.
INSERT INTO price_mechanism (
    mechanism_id, definition, content_hash, zone_id, lot_types, mode, drafted_by, drafted_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (mechanism_id) DO NOTHING
RETURNING mechanism_id
