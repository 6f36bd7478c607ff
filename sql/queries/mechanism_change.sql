-- Write a draft of a price mechanism anew.
-- $1 mechanism_id  $2 definition  $3 its content hash  $4 zone_id  $5 lot types  $6 mode  $7 when
-- Index: price_mechanism_pkey.
UPDATE price_mechanism
SET
    definition = $2,
    content_hash = $3,
    zone_id = $4,
    lot_types = $5,
    mode = $6,
    drafted_at = $7
WHERE mechanism_id = $1
