-- The gateways of an operator.
-- $1 operator_id
-- Index: gateway_operator_id_idx.
SELECT gateway_id
FROM gateway
WHERE operator_id = $1
