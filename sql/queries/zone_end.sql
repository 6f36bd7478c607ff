-- Let a zone end, no later than was said before; no row where that cannot be.
-- $1 zone_id  $2 the end, exclusive, timestamptz
-- Index: zone_pkey.
UPDATE zone
SET valid_to = $2
WHERE
    zone_id = $1
    AND valid_from < $2
    AND (valid_to IS NULL OR valid_to >= $2)
RETURNING zone_id, name_zh, name_en, zone_class, valid_from, valid_to
