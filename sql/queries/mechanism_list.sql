-- Price mechanisms, by mechanism_id.
-- $1 mechanism_id, or null  $2 whether those that were never approved are among them
-- Index: price_mechanism_pkey; there are a few.
SELECT
    mechanism_id,
    definition::text AS definition_text,
    content_hash,
    zone_id,
    lot_types,
    state,
    mode,
    drafted_by,
    drafted_at,
    approved_by,
    approved_at,
    retired_by,
    retired_at
FROM price_mechanism
WHERE
    ($1::text IS NULL OR mechanism_id = $1)
    AND ($2::boolean OR approved_at IS NOT NULL)
ORDER BY mechanism_id
