-- A page of gateways by gateway_id, each with the health of its lots' feeds.
-- $1 gateway_id to start after; '' from the first  $2 the most gateways to give
-- $3 operator_id, or null  $4 gateway_id, or null
-- $5 data_state that at least one of its lots is in, or null
-- $6 the time from which on dead letters count
-- Index: gateway_pkey, lot_gateway_id_idx, dead_letter_gateway_id_last_received_at_idx.
WITH page AS (
    SELECT
        g.gateway_id,
        g.operator_id,
        g.simulated,
        count(l.lot_id) AS lots,
        count(*) FILTER (WHERE l.data_state = 'live') AS lots_live,
        count(*) FILTER (WHERE l.data_state = 'stale') AS lots_stale,
        count(*) FILTER (WHERE l.data_state = 'estimated') AS lots_estimated,
        count(*) FILTER (WHERE l.data_state = 'unknown') AS lots_unknown,
        max(l.received_at) AS received_at
    FROM gateway AS g
    LEFT JOIN lot_now AS l ON g.gateway_id = l.gateway_id
    WHERE
        g.gateway_id > $1
        AND ($3::text IS null OR g.operator_id = $3)
        AND ($4::text IS null OR g.gateway_id = $4)
    GROUP BY g.gateway_id
    HAVING $5::text IS null OR bool_or(l.data_state = $5)
    ORDER BY g.gateway_id
    LIMIT $2
)

SELECT
    p.*,
    d.dead_letters
FROM page AS p
LEFT JOIN LATERAL (
    SELECT count(*) AS dead_letters
    FROM dead_letter AS own
    WHERE own.gateway_id = p.gateway_id AND own.last_received_at >= $6
) AS d ON true
ORDER BY p.gateway_id
