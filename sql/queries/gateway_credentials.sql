-- Every gateway with its password's hash and the lots that it reports for.
-- Parameters: none.
-- Index: lot_gateway_id_idx, or none for many gateways.
SELECT
    g.gateway_id,
    g.operator_id,
    g.simulated,
    g.password_hash,
    coalesce(
        array_agg(l.lot_id ORDER BY l.lot_id) FILTER (WHERE l.lot_id IS NOT NULL), '{}'
    ) AS lots
FROM gateway AS g
LEFT JOIN lot AS l ON g.gateway_id = l.gateway_id
GROUP BY g.gateway_id
ORDER BY g.gateway_id;
