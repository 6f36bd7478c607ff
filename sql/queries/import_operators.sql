-- Bring the table operator to what is staged; count what was new and what changed.
-- Parameters: none; reads the temporary table staged_operator.
-- Index: operator_pkey.
WITH written AS (
    INSERT INTO operator AS o (operator_id, name_zh, name_en)
    SELECT
        s.operator_id,
        s.name_zh,
        s.name_en
    FROM staged_operator AS s
    ORDER BY s.operator_id
    ON CONFLICT (operator_id) DO UPDATE
        SET name_zh = excluded.name_zh, name_en = excluded.name_en
        WHERE (o.name_zh, o.name_en) IS DISTINCT FROM (excluded.name_zh, excluded.name_en)
    RETURNING (o.xmax = 0) AS is_new
)

SELECT
    count(*) FILTER (WHERE is_new) AS added,
    count(*) FILTER (WHERE NOT is_new) AS changed
FROM written;
