-- The lots of each operator: what its gateways may report for.
-- Parameters: none.
-- Index: lot_operator_id_idx, or none for many operators.
SELECT
    operator_id,
    array_agg(lot_id ORDER BY lot_id) AS lots
FROM lot
GROUP BY operator_id;
