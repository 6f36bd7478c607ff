-- Each gateway's operator.
-- No parameters. Index: none, the table is read whole.
SELECT
    gateway_id,
    operator_id
FROM gateway
