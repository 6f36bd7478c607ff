-- Keep others from writing the states of some lots until the transaction ends. In the order in
-- which the ingester writes them, so that neither could wait for the other in a circle.
-- $1 lot ids
-- Index: lot_state_pkey.
SELECT lot_id
FROM lot_state
WHERE lot_id = any($1::text[])
ORDER BY lot_id
FOR UPDATE
