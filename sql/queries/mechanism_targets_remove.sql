-- Give up what a price mechanism has.
-- $1 mechanism_id
-- Index: none; there are a few.
DELETE FROM price_mechanism_target
WHERE mechanism_id = $1
