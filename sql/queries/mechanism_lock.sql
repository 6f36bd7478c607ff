-- Keep others from changing or reviewing a price mechanism until the transaction ends.
-- $1 mechanism_id
-- Index: price_mechanism_pkey.
SELECT mechanism_id FROM price_mechanism
WHERE mechanism_id = $1
FOR UPDATE
