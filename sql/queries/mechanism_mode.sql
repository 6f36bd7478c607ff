-- Freeze a price mechanism, or let it go on.
-- $1 mechanism_id  $2 mode
-- Index: price_mechanism_pkey.
UPDATE price_mechanism
SET mode = $2
WHERE mechanism_id = $1
