-- A page of operators by operator_id, each with what it runs.
-- $1 operator_id to start after; '' from the first  $2 the most operators to give
-- $3 the only operator_id to give, or null
-- Index: operator_pkey, lot_operator_id_idx, gateway_operator_id_idx.
SELECT
    o.operator_id,
    o.name_zh,
    o.name_en,
    l.lots,
    l.spaces,
    g.gateways,
    g.gateways_with_credentials
FROM operator AS o
LEFT JOIN LATERAL (
    SELECT
        count(*) AS lots,
        coalesce(sum(own.capacity), 0) AS spaces
    FROM lot AS own
    WHERE own.operator_id = o.operator_id
) AS l ON true
LEFT JOIN LATERAL (
    SELECT
        count(*) AS gateways,
        count(own.password_hash) AS gateways_with_credentials
    FROM gateway AS own
    WHERE own.operator_id = o.operator_id
) AS g ON true
WHERE o.operator_id > $1 AND ($3::text IS null OR o.operator_id = $3)
ORDER BY o.operator_id
LIMIT $2
