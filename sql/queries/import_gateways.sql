-- Bring the table gateway to what is staged, passwords kept; count what was new and what changed.
-- Parameters: none; reads the temporary table staged_gateway.
-- Index: gateway_pkey.
WITH written AS (
    INSERT INTO gateway AS g (gateway_id, operator_id, simulated)
    SELECT
        s.gateway_id,
        s.operator_id,
        s.simulated
    FROM staged_gateway AS s
    ORDER BY s.gateway_id
    ON CONFLICT (gateway_id) DO UPDATE
        SET operator_id = excluded.operator_id, simulated = excluded.simulated
        WHERE (g.operator_id, g.simulated)
        IS DISTINCT FROM (excluded.operator_id, excluded.simulated)
    RETURNING (g.xmax = 0) AS is_new
)

SELECT
    count(*) FILTER (WHERE is_new) AS added,
    count(*) FILTER (WHERE NOT is_new) AS changed
FROM written;
