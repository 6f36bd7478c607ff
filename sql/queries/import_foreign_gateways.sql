-- The lots whose gateway belongs to another operator than the lot, which an import must not leave.
-- Parameters: none.
-- Index: none, both tables are read whole.
SELECT
    l.lot_id,
    l.operator_id,
    l.gateway_id,
    g.operator_id AS gateway_operator_id
FROM lot AS l
INNER JOIN gateway AS g ON l.gateway_id = g.gateway_id
WHERE l.operator_id <> g.operator_id
ORDER BY l.lot_id;
