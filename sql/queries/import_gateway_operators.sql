-- Whose each gateway is.
-- Parameters: none.
-- Index: none, the table is read whole.
SELECT
    gateway_id,
    operator_id
FROM gateway;
