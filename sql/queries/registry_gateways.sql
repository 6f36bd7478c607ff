-- Each gateway's operator, and how much it may report for: its operator's lots and their spaces.
-- No parameters. Index: none, both tables are read whole (one row a lot).
SELECT
    g.gateway_id,
    g.operator_id,
    count(l.lot_id) AS lots,
    coalesce(sum(l.capacity), 0) AS spaces
FROM gateway AS g
LEFT JOIN lot AS l ON g.operator_id = l.operator_id
GROUP BY g.gateway_id
