-- Approve a price mechanism.
-- $1 mechanism_id  $2 by whom  $3 when
-- Index: price_mechanism_pkey.
UPDATE price_mechanism
SET state = 'approved', approved_by = $2, approved_at = $3
WHERE mechanism_id = $1
