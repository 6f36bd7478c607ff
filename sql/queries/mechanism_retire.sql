-- Retire a price mechanism.
-- $1 mechanism_id  $2 by whom  $3 when
-- Index: price_mechanism_pkey.
UPDATE price_mechanism
SET state = 'retired', retired_by = $2, retired_at = $3
WHERE mechanism_id = $1
